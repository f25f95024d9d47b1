import type { Tensor } from '@tau/tensor'

/** New positions. Their shapes have been checked. */
export interface NewPositions {
  readonly lambdaK: Tensor
  readonly v: Tensor
  readonly logDecay: { readonly high: Tensor; readonly low: Tensor | undefined } | undefined
}

/** The data of a TauCache. Each kind of backend implements it. Inputs have been checked, except for their
 *  values. */
export interface TauStore extends Disposable {
  /** [H] */
  readonly temperature: Tensor
  readonly length: number
  readonly bytes: number
  append(positions: NewPositions): void
  /** lambdaQ [B, H, Tq] of the newest positions → [B, H, Tq, D] */
  attend(lambdaQ: Tensor): Tensor
  /** Keeps the first `length` positions. */
  truncate(length: number): void
  fork(): TauStore
  /** [B, Hkv, length] */
  lambdaK(): Tensor
  reset(): void
}
