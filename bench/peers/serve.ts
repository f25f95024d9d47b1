import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { expectNear, randomArray } from '@tau/testing'

/** A product of two square matrices in another library, with its inputs at hand. */
export interface Product {
  run(): void | Promise<void>
  result(): ArrayLike<number> | Promise<ArrayLike<number>>
}

/** A library and how it multiplies. */
export interface Library {
  /** Name and version. */
  readonly version: string
  /** How it runs, for the table: its mode and threads. */
  readonly setting: string
  product(
    a: Float32Array<ArrayBuffer>,
    b: Float32Array<ArrayBuffer>,
    size: number,
  ): Product | Promise<Product>
}

const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  dependencies: Readonly<Record<string, string>>
}

/** The version of a library that the bench's package.json pins. */
export const pinnedVersion = (name: string): string => dependencies[name]

const say = (message: unknown) => console.log(JSON.stringify(message))

/** Loads a library. When that fails, the peer says why it is absent, and the result is undefined. */
export async function loadOrAbsent<T>(load: () => Promise<T>): Promise<T | undefined> {
  try {
    return await load()
  } catch (error) {
    say({ absent: error instanceof Error ? error.message : String(error) })
    return undefined
  }
}

/** Says that the peer is ready. Then each line of input is a number of repeats, and its answer is the
 *  milliseconds of one. */
export async function serve(
  { version, setting }: Pick<Library, 'version' | 'setting'>,
  run: () => void | Promise<void>,
): Promise<void> {
  say({ version, setting })
  for await (const line of createInterface(process.stdin)) {
    const repeats = Number(line)
    const start = performance.now()
    for (let i = 0; i < repeats; i++) {
      const pending = run()
      if (pending) await pending
    }
    say({ ms: (performance.now() - start) / repeats })
  }
}

/** The whole life of a peer that multiplies. It checks a product of ones and a ramp, whose rows all sum the
 *  ramp. Then it times a product of random matrices. `size` is the program's first argument. */
export async function serveProducts(load: () => Promise<Library>): Promise<void> {
  const size = Number(process.argv[2])
  const library = await loadOrAbsent(load)
  if (!library) return
  const ones = new Float32Array(size * size).fill(1)
  const ramp = Float32Array.from(ones, (_, i) => Math.floor(i / size))
  const expected = new Float32Array(size * size).fill((size * (size - 1)) / 2)
  const checked = await library.product(ones, ramp, size)
  expectNear(await checked.result(), expected, { atol: 0 })
  const random = (seed: number) => Float32Array.from(randomArray(size * size, seed))
  const { run } = await library.product(random(1), random(2), size)
  await serve(library, run)
}
