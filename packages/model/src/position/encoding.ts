import type { RopeTable } from '@tau/attention'
import type { Device, Tensor } from '@tau/tensor'

/** What an encoding is made for. */
export interface PositionShape {
  /** M, channels of a query or key head. */
  readonly dim: number
  /** Longest sequence of the model, in tokens. */
  readonly seqLen: number
  readonly ropeBase: number
}

/** Gives q and k their positions. Made once per model and width, and shared by its layers. */
export interface PositionalEncoding extends Disposable {
  /** q or k [B, heads, T, M] of the positions from `start` on → the same shape. */
  encode(x: Tensor, start: number): Tensor
  /** The encoding as angles of RoPE, for kernels that turn vectors themselves; undefined if it is no rotation. */
  readonly rotation: RopeTable | undefined
}

export interface PositionalKind {
  /** What is wrong with a width, after "must"; undefined if it fits. */
  refuses?(dim: number): string | undefined
  create(device: Device, shape: PositionShape): PositionalEncoding
}
