import { copyBlock, type Device, slice, type Tensor } from '@tau/tensor'
import type { GroupState, HeadGroupAttention } from './group.ts'
import type { CacheForm } from './kind.ts'

/** State of a layer between decoding steps. */
export class LayerState implements Disposable {
  readonly groups: readonly GroupState[]
  /** The newest normalised input [B, 1, C], for the token shift. */
  readonly previous: Tensor

  private constructor(groups: readonly GroupState[], previous: Tensor) {
    this.groups = groups
    this.previous = previous
  }

  /** An empty state for `batch` sequences of width C. */
  static empty(
    device: Device,
    groups: readonly HeadGroupAttention[],
    batch: number,
    width: number,
    form: CacheForm,
  ): LayerState {
    return new LayerState(
      groups.map((group) => group.newState(device, batch, form)),
      device.tensor(new Float32Array(batch * width), [batch, 1, width]),
    )
  }

  /** Positions decoded so far. */
  get length(): number {
    return this.groups[0].cache.length
  }

  /** Bytes of the contents of the caches. */
  get cacheBytes(): number {
    return this.groups.reduce((sum, { cache }) => sum + cache.bytes(), 0)
  }

  /** Keeps the last position of x [B, T, C] for the next step. */
  keepLast(x: Tensor): void {
    const [batch, length, width] = x.shape
    copyRows(slice(x, 1, length - 1, length), this.previous, batch, width)
  }

  /** A second state with the same positions. The two can continue independently. */
  fork(): LayerState {
    return new LayerState(
      this.groups.map(({ cache, logDecay: { high, low } }) => ({
        cache: cache.fork(),
        logDecay: { high: copyOf(high), low: copyOf(low) },
      })),
      copyOf(this.previous),
    )
  }

  /** Forgets all positions, but keeps the memory for them. */
  reset(): void {
    for (const { cache, logDecay } of this.groups) {
      cache.reset()
      for (const part of [logDecay.high, logDecay.low]) part.write(new Float32Array(part.size))
    }
    this.previous.write(new Float32Array(this.previous.size))
  }

  [Symbol.dispose](): void {
    for (const { cache, logDecay } of this.groups) {
      cache.dispose()
      logDecay.high.dispose()
      logDecay.low.dispose()
    }
    this.previous.dispose()
  }
}

function copyOf(tensor: Tensor): Tensor {
  const copy = tensor.device.empty(tensor.shape)
  copyRows(tensor, copy, 1, tensor.size)
  return copy
}

function copyRows(source: Tensor, target: Tensor, rows: number, width: number): void {
  copyBlock(
    { tensor: source, offset: 0, stride: width },
    { tensor: target, offset: 0, stride: width },
    rows,
    width,
  )
}
