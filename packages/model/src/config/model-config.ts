import type { DotWindowOptions } from '../attention/dot-window.ts'
import type { TauOptions } from '../attention/tau/options.ts'
import type { HeadOptions, TrunkOptions } from './fields.ts'

/** Options of all kinds of attention. A package that registers a kind adds its options by declaration
 *  merging. */
export interface AttentionOptions extends TauOptions, DotWindowOptions {}

/** Configuration of a model. It has the options of a kind of attention only if some heads have that kind. The
 *  help and the rule of a field are in its table: in fields.ts, or in the file of the kind. */
export interface ModelConfig extends TrunkOptions, HeadOptions, Partial<AttentionOptions> {
  /** Groups of heads, if heads differ. Layer i has the groups of `layers[i % layers.length]`, in order. Each
   *  group has some kv heads of the layer, and the query heads that read them. The fields of a group replace
   *  those of the model. null: every layer is one group with the fields of the model. */
  layers: readonly (readonly HeadGroupOptions[])[] | null
}

/** The fields of a group of heads that differ from those of the model. */
export type HeadGroupOptions = Partial<HeadOptions & AttentionOptions> & {
  /** Number of key and value heads of the group. Default: all that other groups of the layer leave. */
  readonly kvHeads?: number
}
