import { type Device, type Tensor, zeros } from '@tau/tensor'
import { attend } from '../../kernels/lambda-attention/lambda-attention.ts'
import { GrowingBuffers } from '../growing-buffers.ts'
import type { CacheOptions } from '../options.ts'
import { cachedDecay, type DecayFields, decayFields } from '../readings.ts'
import type { NewPositions, TauStore } from './store.ts'

/** Positions in order of time, for backends without trees. Every query reads all of them. */
export class StreamStore implements TauStore {
  readonly #device: Device
  readonly #options: CacheOptions
  readonly temperature: Tensor
  readonly #buffers: GrowingBuffers<'lambdaK' | 'v' | DecayFields>

  /** Takes ownership of `temperature`. */
  constructor(device: Device, options: CacheOptions, temperature: Tensor) {
    const { batch, heads, kvHeads, valueDim, decay, capacity } = options
    this.#device = device
    this.#options = options
    this.temperature = temperature
    this.#buffers = new GrowingBuffers(
      'TauCache.append',
      device,
      batch,
      [
        ['lambdaK', { heads: kvHeads, width: 1 }],
        ['v', { heads: kvHeads, width: valueDim }],
        ...decayFields(decay, heads),
      ],
      capacity,
    )
  }

  get length(): number {
    return this.#buffers.length
  }

  get bytes(): number {
    return this.#buffers.bytes
  }

  append({ lambdaK, v, logDecay }: NewPositions): void {
    using none = logDecay && !logDecay.low ? zeros(this.#device, logDecay.high.shape) : undefined
    const low = logDecay?.low ?? none
    const entries: [DecayFields, Tensor][] =
      logDecay && low
        ? [
            ['logDecay', logDecay.high],
            ['decayLow', low],
          ]
        : []
    this.#buffers.append(new Map([['lambdaK', lambdaK], ['v', v], ...entries]))
  }

  attend(lambdaQ: Tensor): Tensor {
    const { batch, heads, kvHeads, valueDim, decay } = this.#options
    const { capacity, length } = this.#buffers
    return attend(
      this.#device,
      {
        lambdaQ: lambdaQ.handle,
        lambdaK: this.#buffers.tensor('lambdaK').handle,
        v: this.#buffers.tensor('v').handle,
        temperature: this.temperature.handle,
        logDecay: decay ? cachedDecay(this.#buffers) : undefined,
      },
      {
        ...{ batch, heads, kvHeads, queries: lambdaQ.shape[2], keys: length, valueDim, capacity },
        decayBatch: heads * capacity,
      },
    )
  }

  truncate(length: number): void {
    this.#buffers.truncate(length)
  }

  fork(): StreamStore {
    const temperature = this.#device.unscoped(() => this.temperature.view())
    const fork = new StreamStore(this.#device, this.#options, temperature)
    fork.#buffers.take(this.#buffers)
    return fork
  }

  lambdaK(): Tensor {
    const { batch, kvHeads } = this.#options
    using copy = this.#buffers.copy('lambdaK')
    return copy.view([batch, kvHeads, this.length])
  }

  reset(): void {
    this.#buffers.truncate(0)
  }

  [Symbol.dispose](): void {
    this.#buffers[Symbol.dispose]()
    this.temperature.dispose()
  }
}
