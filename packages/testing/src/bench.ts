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
  /** Makes inputs on the device. The caller frees them: a scope is open. */
  prepare(device: Device): BenchCase
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
