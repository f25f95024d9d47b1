import { BackendError } from '../../errors.ts'
import { WORKSPACE_ADDRESS } from './layout.ts'
import type { WasmMemory } from './wasm-memory.ts'

/** A library outside WebAssembly that multiplies matrices in the memory of the kernels:
 *  `cpu({ gemm: openBlas() })` with @tau/blas. */
export interface GemmLibrary {
  /** Finds the library and prepares it for calls from this many threads at once. Each call computes on the
   *  thread that makes it. Throws with the reason if the library cannot be used. */
  open(threads: number): GemmProgram
}

export interface GemmProgram {
  /** What `device.info.variant` calls it: `openblas-0.3.21`. */
  readonly name: string
  /** Plain JavaScript: the body of `(memory: WebAssembly.Memory) => Sgemm`. Every thread runs it once. It may
   *  use only its argument and globals. */
  readonly source: string
}

/** C [m, n] = op(A)·op(B) in f32, row-major; with `adds`, C += op(A)·op(B).
 *  op(A) is [m, k]; with `transA` it is stored [k, m]. op(B) is [k, n]; with `transB` it is stored [n, k].
 *  Addresses are bytes in the memory, leading dimensions are elements. The bits of C must depend only on the
 *  sizes and the numbers, not on the thread. */
type Sgemm = (
  transA: boolean,
  transB: boolean,
  m: number,
  n: number,
  k: number,
  a: number,
  lda: number,
  b: number,
  ldb: number,
  adds: boolean,
  c: number,
  ldc: number,
) => void

/** Multiplies small whole numbers in every layout, in the workspace of the first thread. Throws if a product
 *  is wrong. */
export function checkGemm({ name, source }: GemmProgram, memory: WasmMemory): void {
  const sgemm = new Function('memory', source)(memory) as Sgemm
  const [m, n, k] = [5, 7, 11]
  const [a, b, c] = [0, 1024, 2048].map((bytes) => WORKSPACE_ADDRESS + bytes)
  const matrix = (address: number, length: number) => new Float32Array(memory.buffer, address, length)
  const fill = (address: number, length: number) =>
    matrix(address, length).set(Array.from({ length }, (_, i) => ((i * i + 3 * i) % 13) - 6))
  fill(a, m * k)
  fill(b, n * k)
  const [left, right, out] = [matrix(a, m * k), matrix(b, n * k), matrix(c, m * n)]
  for (const [transA, transB] of [
    [false, false],
    [false, true],
    [true, false],
  ])
    for (const adds of [false, true]) {
      out.fill(adds ? 2 : Number.NaN)
      sgemm(transA, transB, m, n, k, a, transA ? m : k, b, transB ? k : n, adds, c, n)
      for (let i = 0; i < m; i++)
        for (let j = 0; j < n; j++) {
          let sum = adds ? 2 : 0
          for (let l = 0; l < k; l++)
            sum += left[transA ? l * m + i : i * k + l] * right[transB ? j * k + l : l * n + j]
          if (out[i * n + j] !== sum)
            throw new BackendError(`${name}: a test product must be ${sum}, got ${out[i * n + j]}`)
        }
    }
}
