import type { DotWindowOptions } from '../attention/dot-window.ts'
import type { TauOptions } from '../attention/tau/options.ts'
import type { HeadOptions, TrunkOptions } from './fields.ts'

/** Options of all kinds of attention. A package that registers a kind adds its own by declaration merging. */
export interface AttentionOptions extends TauOptions, DotWindowOptions {}

/** Every choice of the model. Options of a kind of attention are there if some heads have that kind. The table that a field comes from
 *  has its help and its rule: fields.ts, and the files of the kinds. */
export interface ModelConfig extends TrunkOptions, HeadOptions, Partial<AttentionOptions> {
  /** Groups of heads, where heads are not all alike. Layer i has the groups of `layers[i % layers.length]`, in order: each has
   *  some of the layer's kv heads, and the query heads that read them. Fields of a group stand in place of the model's.
   *  null: every layer is one group with the fields of the model. */
  layers: readonly (readonly HeadGroupOptions[])[] | null
}

/** What a group of heads has of its own; the model's fields say the rest. */
export type HeadGroupOptions = Partial<HeadOptions & AttentionOptions> & {
  /** Key and value heads of the group; default: all that the layer has left. */
  readonly kvHeads?: number
}
