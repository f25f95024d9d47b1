import { performance } from 'node:perf_hooks'
import { createInterface } from 'node:readline'
import { expectNear, randomArray } from '@tau/testing'

/** A product of two square matrices in somebody else's library, its inputs at hand. */
export interface Product {
  run(): void | Promise<void>
  result(): ArrayLike<number> | Promise<ArrayLike<number>>
}

/** A library: its name, version and threads, and how to make a product of it. */
export interface Library {
  readonly label: string
  product(a: Float32Array<ArrayBuffer>, b: Float32Array<ArrayBuffer>, size: number): Product
}

const say = (message: unknown) => console.log(JSON.stringify(message))

/** A peer's whole life: loads its library, checks a product of ones and a ramp, whose rows all sum the ramp, and then times what
 *  it is asked for: a line with a number of repeats is answered by milliseconds of one. `size` is the program's first argument. */
export async function serveProducts(load: () => Promise<Library>): Promise<void> {
  const size = Number(process.argv[2])
  let library: Library
  try {
    library = await load()
  } catch (error) {
    say({ absent: error instanceof Error ? error.message : String(error) })
    return
  }
  const ones = new Float32Array(size * size).fill(1)
  const ramp = Float32Array.from(ones, (_, i) => Math.floor(i / size))
  const expected = new Float32Array(size * size).fill((size * (size - 1)) / 2)
  expectNear(await library.product(ones, ramp, size).result(), expected, { atol: 0 })
  const random = (seed: number) => Float32Array.from(randomArray(size * size, seed))
  const { run } = library.product(random(1), random(2), size)
  say({ label: library.label })
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
