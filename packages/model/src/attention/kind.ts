import type { DecodeCache, LaplacianTensor, LogDecay } from '@tau/attention'
import type { Device, Tensor } from '@tau/tensor'
import type { Fail, Fields, OptionsOf } from '../config/field.ts'
import type { ParameterSpec } from '../parameters/spec.ts'
import type { HeadVectors } from './head-vectors.ts'

// The interface of a kind of attention. The model does the parts that all kinds share: projections, clamp,
// positional encoding, norm of q and k, token shift, decay and output gate. A kind computes heads from (q, k,
// v, decay).

/** Shape of a group of heads. */
export interface HeadShape {
  /** H, query heads of the group. */
  readonly heads: number
  /** Hkv, key and value heads of the group; a divisor of `heads`. */
  readonly kvHeads: number
  /** M, channels of a query or key. */
  readonly dim: number
  /** D, channels of a value. */
  readonly valueDim: number
  /** How learned positive numbers are stored. */
  readonly positiveAs: 'log' | 'plain'
  /** Whether the group has decay. */
  readonly hasDecay: boolean
}

/** The newest T positions. Earlier positions are in a cache, if there is one. */
export interface AttentionInputs {
  /** H query heads and Hkv key heads. */
  readonly q: HeadVectors
  readonly k: HeadVectors
  /** [B, Hkv, T, D] */
  readonly v: Tensor
  /** c [B, H, T], the cumulative decay from the start of the sequence. Undefined without decay. The score of
   *  query i and key j gets c_j − c_i. A bias of keys is part of the same number. */
  readonly logDecay: LogDecay | undefined
  /** Call it with the values of {@link AttentionKind.distributions}. It is only given for reports. */
  readonly probe?: ((values: Readonly<Record<string, Tensor>>) => void) | undefined
}

export interface AttentionCache extends DecodeCache<AttentionInputs> {
  /** The cache of the kind's own positions. */
  readonly own: DecodeCache<never>
  fork(): AttentionCache
}

/** `exact` keeps the positions that later ones need, at most seqLen of them. `bounded` needs constant memory
 *  for any context. */
export type CacheForm = { readonly form: 'exact' } | { readonly form: 'bounded'; readonly bins: number }

/** Attention of one group of heads in one layer. */
export interface Attention {
  /** Heads [B, H, T, D] of whole sequences. */
  forward(inputs: AttentionInputs): Tensor
  /** Makes a cache for `batch` sequences, with the present parameters. Its results equal those of {@link
   *  forward}. */
  cache(batch: number, form: CacheForm): AttentionCache
  /** The values of {@link AttentionKind.scalars}, one number per head. */
  scalars?(): Readonly<Record<string, Tensor>>
  /** Numbers that are neither options nor parameters. They are saved with the model, and set when it is
   *  loaded. */
  readonly state?: Record<string, number>
  /** Sets `state` from q [B, H, T, M] and k [B, Hkv, T, M] of a batch, and returns the number that it set.
   *  Undefined if there is nothing to set. */
  calibrate?(q: Tensor, k: Tensor): Promise<number>
  /** Whether training calls `calibrate` on a schedule. */
  readonly recalibrates?: boolean
}

/** Inputs of {@link AttentionKind.create}. */
export interface KindContext {
  readonly device: Device
  readonly shape: HeadShape
  /** Laplacian [M, M]. Undefined if the kind does not need one. */
  readonly laplacian: LaplacianTensor | undefined
  /** A parameter of {@link AttentionKind.parameters} by its short name. */
  readonly parameter: (name: string) => Tensor
}

/** A value per head that reports show. */
export interface Measure {
  readonly name: string
  /** Name in reports. */
  readonly title: string
  /** Whether there is one value per query head, or per key and value head. */
  readonly per: 'head' | 'kv head'
  /** One or two sentences for reports. */
  readonly about?: string
  /** Whether reports draw it on a logarithmic axis. */
  readonly isLog?: boolean
}

/** A kind of attention. Register it with {@link registerAttentionKind}. Then `attention: NAME` chooses it,
 *  and its options are fields of the configuration, of config.json and of the command. */
export interface AttentionKind<F extends Fields = Fields> {
  /** Lower case letters, digits and dashes. */
  readonly name: string
  /** One line for help and reports, without a full stop. */
  readonly about: string
  /** `model_type` of config.json. `architecture` is its `architectures`. */
  readonly modelType: string
  readonly architecture: string
  readonly needsLaplacian: boolean
  /** Whether {@link Attention.cache} has a bounded form. */
  readonly hasBoundedCache: boolean
  /** Options by field name. Several kinds may have an option of the same name only if they share the same
   *  field object. */
  readonly options: F
  /** Rules between options. */
  check?(options: OptionsOf<F>, fail: Fail): void
  /** Parameters by short name, in a fixed order. */
  parameters(shape: HeadShape, options: OptionsOf<F>): readonly ParameterSpec[]
  create(context: KindContext, options: OptionsOf<F>): Attention
  /** Heading and text of the section that shows the distributions in reports. */
  readonly report: { readonly heading: string; readonly about: string }
  /** Values per head and position, [B, H, T] or [B, Hkv, T], that {@link AttentionInputs.probe} gets. */
  readonly distributions: readonly Measure[]
  readonly scalars: readonly Measure[]
}

/** Returns the kind unchanged. It types the options by their table. */
export const defineAttentionKind = <const F extends Fields>(kind: AttentionKind<F>): AttentionKind<F> => kind
