import type { Tensor } from '@tau/tensor'

/** New positions, of checked shapes. */
export interface NewPositions {
  readonly lambdaK: Tensor
  readonly v: Tensor
  readonly logDecay: { readonly high: Tensor; readonly low: Tensor | undefined } | undefined
}

/** What a TauCache does with its data, one way per kind of backend. Inputs have been checked but for values. */
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
