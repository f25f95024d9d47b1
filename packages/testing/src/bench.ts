import { expectNear, type Tolerance } from './near.ts'

/** One call of the measured function, with its arguments prepared. */
export interface BenchCase {
  /** Does the work once; a promise is awaited. It frees what it makes and leaves its inputs as they are. */
  run(): void | Promise<void>
  /** Throws unless the result is right. It is called once, before any timing. */
  check(): Promise<void>
}

/** A measurement of one kernel on one real shape. A file `<kernel>.bench.ts` exports a list of them as
 *  `benches`. */
export interface KernelBench<Device> {
  /** Start of the names of its metrics: the kernel, then the layout or function, then a word for the
   *  shape. */
  readonly name: string
  /** The shape, as the table shows it. */
  readonly shape: string
  /** Work of one call: floating-point operations (a multiply and an add are two), or the bytes that must be
   *  read or written at least once. */
  readonly work: { readonly flops: number } | { readonly bytes: number }
  /** True if the kernel reads its bytes and writes almost none. It is then compared with the speed of reads
   *  instead of a copy. */
  readonly readsOnly?: boolean
  /** A few words for the table: what keeps it below the speed that it is compared with. */
  readonly boundBy?: string
  readonly rival?: Rival
  /** Makes the inputs on the device. The caller frees them, because it has a scope open. */
  prepare(device: Device): BenchCase
}

/** Another bench of the same group that is timed in the same rounds. The ratio of the two is the metric
 *  `ratio_vs_<as>`. */
export interface Rival {
  readonly name: string
  readonly as: string
}

/** The number of things that one call handles, and their name: 2048 `tokens`. */
export interface Items {
  readonly count: number
  /** Plural, in lower case. It becomes part of the names of metrics. */
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
  /** The caller frees what it makes, because it has a scope open. */
  prepare(device: Device): StepCase
}

export interface StepCase extends BenchCase {
  /** Live bytes at the end of a backward pass: parameters, moments, activations, gradients. Known after the
   *  check. */
  liveBytes(): number
}

/** A measurement of decoding, token by token. */
export interface DecodeBench<Device> {
  readonly name: string
  readonly shape: string
  readonly rival?: Rival
  /** The caller frees what it makes, because it has a scope open. */
  prepare(device: Device): DecodeCase
}

export interface DecodeCase {
  /** Throws unless the decoded tokens are right. It is called once, before any timing. */
  check(): Promise<void>
  /** The tokens, the same at every call. The first one comes after the whole prompt was read. */
  tokens(): AsyncIterable<number>
  /** Bytes of the caches after the last token, with their spare room. Known after the check. */
  cacheBytes(): number
}

/** A bench of `op`, which makes a new tensor. The check compares samples of it with f64 arithmetic. */
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

/** Compares about `samples` elements, spread over all of `found`, with `expectedAt(index)`. That is enough to
 *  see that a kernel computes. At large shapes, checking all elements would take longer than the bench. */
export function expectSamples(
  found: ArrayLike<number>,
  expectedAt: (index: number) => number,
  tolerance: Tolerance,
  samples = 61,
): void {
  if (found.length === 0) throw new Error('expectSamples: the result must have elements, got none')
  const indices = Array.from({ length: samples }, (_, i) => Math.floor(((i + 0.5) / samples) * found.length))
  indices.push(0, found.length - 1)
  expectNear(
    indices.map((index) => found[index]),
    indices.map(expectedAt),
    tolerance,
  )
}
