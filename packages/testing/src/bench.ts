import { expectNear, type Tolerance } from './near.ts'

/** One call of what is measured, its arguments at hand. */
export interface BenchCase {
  /** Does the work once; a promise is waited for. What it makes, it frees, and its inputs stay as they are. */
  run(): void | Promise<void>
  /** Throws unless the result is right; called once, before any timing. */
  check(): Promise<void>
}

/** A measurement of one kernel on one real shape. Files `<kernel>.bench.ts` export `benches`, a list of them. */
export interface KernelBench<Device> {
  /** Start of its metrics' names: kernel, then layout or function, then what the shape is. */
  readonly name: string
  /** The shape, as the table shows it. */
  readonly shape: string
  /** Work of one call: floating-point operations (a multiply and an add are two), or bytes that must be read or written at
   *  least once. */
  readonly work: { readonly flops: number } | { readonly bytes: number }
  /** Its bytes are read and next to none written: it is held against reads instead of a copy. */
  readonly readsOnly?: boolean
  /** What keeps it from its yardstick, in the table: a few words. */
  readonly boundBy?: string
  readonly rival?: Rival
  /** Makes inputs on the device. The caller frees them: a scope is open. */
  prepare(device: Device): BenchCase
}

/** Another bench of the same group that is timed in the same rounds; their ratio is the metric `ratio_vs_<as>`. */
export interface Rival {
  readonly name: string
  readonly as: string
}

/** What one call handles: 2048 `tokens`. */
export interface Items {
  readonly count: number
  /** Plural, in lower case: metrics are called after it. */
  readonly unit: string
}

/** A measurement of a function that runs on the host, without a device. */
export interface HostBench {
  readonly name: string
  readonly shape: string
  readonly items: Items
  prepare(): BenchCase
}

/** A measurement of training: one call is an optimizer step. */
export interface StepBench<Device> {
  readonly name: string
  readonly shape: string
  readonly items: Items
  /** Floating-point operations of a step, by the usual estimate 6 · parameters · tokens. */
  readonly flops: number
  readonly rival?: Rival
  /** The caller frees what it makes: a scope is open. */
  prepare(device: Device): StepCase
}

export interface StepCase extends BenchCase {
  /** Bytes that live when a backward pass ends: parameters, moments, activations, gradients. Known after the check. */
  liveBytes(): number
}

/** A measurement of decoding, token by token. */
export interface DecodeBench<Device> {
  readonly name: string
  readonly shape: string
  readonly rival?: Rival
  /** The caller frees what it makes: a scope is open. */
  prepare(device: Device): DecodeCase
}

export interface DecodeCase {
  /** Throws unless the decoded tokens are right; called once, before any timing. */
  check(): Promise<void>
  /** The same tokens at every call. The first of them comes when the whole prompt was read. */
  tokens(): AsyncIterable<number>
  /** Bytes of the caches' contents after the last token, room to spare included. Known after the check. */
  cacheBytes(): number
}

/** Times `op`, which makes a new tensor, and holds samples of it against f64 arithmetic. */
export function opCase(
  device: { scope(): Disposable },
  op: () => { data(): Promise<ArrayLike<number>> },
  expectedAt: (index: number) => number,
  tolerance: Tolerance,
): BenchCase {
  return {
    run() {
      using _scope = device.scope()
      op()
    },
    async check() {
      using _scope = device.scope()
      expectSamples(await op().data(), expectedAt, tolerance)
    },
  }
}

/** Compares about `samples` elements, spread over the whole of `found`, with `expectedAt(index)`: enough to tell a kernel
 *  that computes from one that does not, at shapes where all elements would take longer than the bench. */
export function expectSamples(
  found: ArrayLike<number>,
  expectedAt: (index: number) => number,
  tolerance: Tolerance,
  samples = 61,
): void {
  if (found.length === 0) throw new Error('expectSamples: result must have elements, got none')
  const indices = Array.from({ length: samples }, (_, i) => Math.floor(((i + 0.5) / samples) * found.length))
  indices.push(0, found.length - 1)
  expectNear(
    indices.map((index) => found[index]),
    indices.map(expectedAt),
    tolerance,
  )
}
