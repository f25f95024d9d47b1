import type { RopeTable } from '@tau/attention'
import type { Device, Tensor } from '@tau/tensor'

/** Sizes that an encoding is made for. */
export interface PositionShape {
  /** M, channels of a query or key head. */
  readonly dim: number
  /** Longest sequence of the model, in tokens. */
  readonly seqLen: number
  readonly ropeBase: number
}

/** A positional encoding of q and k. It is made once per model and width, and the layers share it. */
export interface PositionalEncoding extends Disposable {
  /** Encodes q or k [B, heads, T, M] at the positions from `start` on. The shape stays. */
  encode(x: Tensor, start: number): Tensor
  /** The angles of RoPE, for kernels that rotate vectors themselves. Undefined if the encoding is no
   *  rotation. */
  readonly rotation: RopeTable | undefined
}

export interface PositionalKind {
  /** The rule that a width breaks, as the words after "must". Undefined if the width is valid. */
  refuses?(dim: number): string | undefined
  create(device: Device, shape: PositionShape): PositionalEncoding
}
