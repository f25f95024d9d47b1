import type { Device } from '@tau/tensor'
import type { HeadGroup } from '../config/groups.ts'
import type { PositionalEncoding } from './encoding.ts'
import { positionalKind } from './encodings.ts'

/** The encodings of a model. Groups of heads with the same encoding share one. */
export class Encodings implements Disposable {
  readonly #device: Device
  readonly #seqLen: number
  readonly #encodings = new Map<string, PositionalEncoding>()

  constructor(device: Device, seqLen: number) {
    this.#device = device
    this.#seqLen = seqLen
  }

  of({ config: { positionalEncoding, ropeBase }, shape: { dim } }: HeadGroup): PositionalEncoding {
    const key = `${positionalEncoding} ${dim} ${ropeBase}`
    let encoding = this.#encodings.get(key)
    if (!encoding) {
      encoding = positionalKind(positionalEncoding).create(this.#device, {
        ...{ dim, ropeBase, seqLen: this.#seqLen },
      })
      this.#encodings.set(key, encoding)
    }
    return encoding
  }

  [Symbol.dispose](): void {
    for (const encoding of this.#encodings.values()) encoding[Symbol.dispose]()
  }
}
