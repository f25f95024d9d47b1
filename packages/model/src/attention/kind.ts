import type { DecodeCache, LaplacianTensor, LogDecay } from '@tau/attention'
import type { Device, Tensor } from '@tau/tensor'
import type { Fail, Fields, OptionsOf } from '../config/field.ts'
import type { ParameterSpec } from '../parameters/spec.ts'
import type { HeadVectors } from './head-vectors.ts'

// The seam of attention. Above it, for all kinds alike: projections, clamp, positional encoding, norm of q and k, token shift, decay,
// output gate. Below it: a kind, which makes heads of (q, k, v, decay).

/** Shape of a group of heads. */
export interface HeadShape {
  /** H of the group. */
  readonly heads: number
  /** Hkv of the group, a divisor of `heads`. */
  readonly kvHeads: number
  /** M, channels of a query or key. */
  readonly dim: number
  /** D, channels of a value. */
  readonly valueDim: number
  /** How learned positive numbers are stored. */
  readonly positiveAs: 'log' | 'plain'
  /** Whether positions come with decay. */
  readonly hasDecay: boolean
}

/** The newest T positions; those before are in a cache, if there is one. */
export interface AttentionInputs {
  /** H query heads and Hkv key heads. */
  readonly q: HeadVectors
  readonly k: HeadVectors
  /** [B, Hkv, T, D] */
  readonly v: Tensor
  /** [B, H, T], cumulative from the start of the sequence; undefined without decay. The key of time j has c_j − c_i in its score. A
   *  bias of keys is part of the same number. */
  readonly logDecay: LogDecay | undefined
  /** Takes the values of {@link AttentionKind.distributions}; given for reports only. */
  readonly probe?: ((values: Readonly<Record<string, Tensor>>) => void) | undefined
}

export interface AttentionCache extends DecodeCache<AttentionInputs> {
  /** The cache of the kind's own positions. */
  readonly own: DecodeCache<never>
  fork(): AttentionCache
}

/** `exact` keeps what later positions need, at most seqLen positions. `bounded` needs memory that does not depend on the context. */
export type CacheForm = { readonly form: 'exact' } | { readonly form: 'bounded'; readonly bins: number }

/** Attention of one group of heads in one layer. */
export interface Attention {
  /** Heads [B, H, T, D] of whole sequences. */
  forward(inputs: AttentionInputs): Tensor
  /** A cache for `batch` sequences, with the parameters of now. Its results are those of {@link forward}. */
  cache(batch: number, form: CacheForm): AttentionCache
  /** The values of {@link AttentionKind.scalars}, one number per head. */
  scalars?(): Readonly<Record<string, Tensor>>
  /** Numbers that are neither options nor parameters. They are saved with the model, and set when it is loaded. */
  readonly state?: Record<string, number>
  /** Sets `state` from q [B, H, T, M] and k [B, Hkv, T, M] of a batch; undefined if nothing is to be set. Returns what it set. */
  calibrate?(q: Tensor, k: Tensor): Promise<number>
  /** Whether training calibrates again on a schedule. */
  readonly recalibrates?: boolean
}

/** What {@link AttentionKind.create} works with. */
export interface KindContext {
  readonly device: Device
  readonly shape: HeadShape
  /** Of size M; there if the kind needs one. */
  readonly laplacian: LaplacianTensor | undefined
  /** A parameter of {@link AttentionKind.parameters} by its short name. */
  readonly parameter: (name: string) => Tensor
}

/** A number per head that reports show. */
export interface Measure {
  readonly name: string
  /** What reports call it. */
  readonly title: string
  /** One value per query head, or per key and value head. */
  readonly per: 'head' | 'kv head'
  /** One or two sentences for reports. */
  readonly about?: string
  /** Whether it is drawn on a logarithmic axis. */
  readonly isLog?: boolean
}

/** A kind of attention. Register it with {@link registerAttentionKind}; `attention: NAME` then chooses it, and its options are fields of
 *  the configuration, of config.json and of the command. */
export interface AttentionKind<F extends Fields = Fields> {
  /** Lower case, with dashes. */
  readonly name: string
  /** One line for help and reports, without a full stop. */
  readonly about: string
  /** `model_type` and `architectures` of config.json. */
  readonly modelType: string
  readonly architecture: string
  readonly needsLaplacian: boolean
  /** Whether {@link Attention.cache} has a bounded form. */
  readonly hasBoundedCache: boolean
  /** Options by field name. A field may be in several kinds, if it is the same field. */
  readonly options: F
  /** Rules between options. */
  check?(options: OptionsOf<F>, fail: Fail): void
  /** Parameters by short name, in a fixed order. */
  parameters(shape: HeadShape, options: OptionsOf<F>): readonly ParameterSpec[]
  create(context: KindContext, options: OptionsOf<F>): Attention
  /** Heading and text of the section of reports that shows the distributions. */
  readonly report: { readonly heading: string; readonly about: string }
  /** Values per head and position, [B, H, T] or [B, Hkv, T], that {@link AttentionInputs.probe} takes. */
  readonly distributions: readonly Measure[]
  readonly scalars: readonly Measure[]
}

/** The kind itself; its options are typed by their table. */
export const defineAttentionKind = <const F extends Fields>(kind: AttentionKind<F>): AttentionKind<F> => kind
