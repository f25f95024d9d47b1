import type { DType } from './dtype.ts'
import type { Tensor } from './tensor.ts'

/** Owns the tensors that are made while it is open. It disposes them when it closes (`using`). */
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

  /** Keeps `tensor` alive after this scope: hands it to the enclosing scope, or to the caller if there is
   *  none. */
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
