import type { DType } from './dtype.ts'
import type { Tensor } from './tensor.ts'

/** Owns the tensors made while it is open and disposes them when it closes (`using`). */
export class Scope implements Disposable {
  readonly #outer: Scope | undefined
  readonly #close: () => void
  readonly #tensors = new Set<Tensor<DType>>()

  constructor(outer: Scope | undefined, close: () => void) {
    this.#outer = outer
    this.#close = close
  }

  add(tensor: Tensor<DType>): void {
    this.#tensors.add(tensor)
  }

  /** Hands `tensor` to the enclosing scope, or to the caller when there is none: it survives this scope. */
  keep<T extends Tensor<DType>>(tensor: T): T {
    if (this.#tensors.delete(tensor)) this.#outer?.add(tensor)
    return tensor
  }

  [Symbol.dispose](): void {
    this.#close()
    for (const tensor of this.#tensors) tensor.dispose()
    this.#tensors.clear()
  }
}
