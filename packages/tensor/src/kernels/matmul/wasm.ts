import type { CpuEngine, Launch } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { WORKSPACE_BYTES } from '../../backends/cpu/layout.ts'
import type { Handle } from '../../backends/engine.ts'
import { matmulEpilogue } from '../../generated/constants.ts'
import { accumulateWasm } from '../accumulate/wasm.ts'
import { tensorWasm } from '../cpu-module.ts'
import { fillWasm } from '../fill/wasm.ts'
import { reluSquaredWasm } from '../relu-squared/wasm.ts'
import { composedEpilogue } from './epilogue.ts'
import type { MatmulKernel } from './matmul.ts'
import { matmulNative } from './native.ts'
import { matmulTile, roundUp } from './tile.ts'
import { matmulWork } from './work.ts'

/** With at most this many rows or columns of C, reading the longer operand in place is faster than packing
 *  it. */
const MAX_DOTS = 16
const MAX_AXPYS = 12
/** The same limit if there is a library. From 8 rows on, the library is 1.1 to 1.8 times as fast as our thin
 *  kernels. */
const MAX_THIN_NATIVE = 4
/** Multiplications in one product from which a call out of WebAssembly pays. With the AVX2 kernels of
 *  OpenBLAS, 24³ runs at 0.9 of our speed and 32³ at 0.9 to 1.3. */
const MIN_NATIVE_MULTIPLIES = 1 << 14
/** Columns that axpys sum at a time: eight rows of them are 16 KiB. */
const AXPY_COLS = 512
/** Multiplications in a tile that is worth sharing between threads, about 40 µs. Several smaller products
 *  form one tile. */
const TILE_MULTIPLIES = 1 << 20

const EPILOGUE_CODES = { add: matmulEpilogue.ADD, reluSquared: matmulEpilogue.RELU_SQUARED } as const

/** An operand of the product: `count` rows of A or columns of B. Steps are in elements, and one of the two
 *  steps is 1. */
interface Operand {
  readonly handle: Handle
  readonly count: number
  /** From one matrix of the batch to the next. */
  readonly stride: number
  /** From one row of A, or column of B, to the next. */
  readonly step: number
  /** From one k to the next. */
  readonly depth: number
}

/** The steps of an operand. A single row always lies along k, whatever the layout. */
function operand(handle: Handle, count: number, k: number, stride: number, alongDepth: boolean): Operand {
  const steps = alongDepth || count === 1 ? { step: k, depth: 1 } : { step: 1, depth: count }
  return { handle, count, stride, ...steps }
}

export function matmulWasm(engine: CpuEngine): MatmulKernel {
  const tiles = engine.kernel(tensorWasm, 'matmul')
  const dots = engine.kernel(tensorWasm, 'matmulDots')
  const axpys = engine.kernel(tensorWasm, 'matmulAxpys')
  const fill = fillWasm(engine)
  const finish = composedEpilogue(accumulateWasm(engine), reluSquaredWasm(engine))
  const native = engine.gemm && matmulNative(engine, engine.gemm)
  const [maxDots, maxAxpys] = native ? [MAX_THIN_NATIVE, MAX_THIN_NATIVE] : [MAX_DOTS, MAX_AXPYS]

  return (layout, a, b, out, sizes) => {
    const { batch, m, n, k, strideA, strideB, accumulate, epilogue } = sizes
    const size = batch * m * n
    if (size === 0) return
    if (k === 0) {
      if (!accumulate) fill(out, 0, size)
      if (epilogue) finish(epilogue, out, size)
      return
    }
    const adds = accumulate ? 1 : 0
    const work = matmulWork(layout, sizes)
    const left = operand(a, m, k, strideA, layout !== 'tn')
    const right = operand(b, n, k, strideB, layout === 'nt')

    // Thin products: X is the operand with few rows (or columns), W is the other one.
    const [x, w] = m <= n ? [left, right] : [right, left]
    const thin = (launch: Launch, chunk: number) => {
      const [outFew, outMany] = m <= n ? [n, 1] : [1, n]
      const { step, depth } = x
      const args = [
        x.handle,
        w.handle,
        out,
        x.count,
        w.count,
        k,
        x.stride,
        w.stride,
        step,
        depth,
        outFew,
        outMany,
        chunk,
        adds,
      ]
      const grain = Math.max(1, Math.floor(ELEMENT_GRAIN / (Math.min(chunk, w.count) * k)))
      launch(args, batch * Math.ceil(w.count / chunk), grain, work)
      if (epilogue) finish(epilogue, out, size)
    }
    const fitsWorkspace = roundUp(x.count, 4) * (k + 3) * 4 <= WORKSPACE_BYTES
    if (w.depth === 1 && x.count <= maxDots && (x.count === 1 || fitsWorkspace)) {
      const rows = Math.ceil(ELEMENT_GRAIN / k)
      // X is packed for every chunk of W. That is slower if it must be transposed, so chunks are then larger.
      return thin(dots, x.depth === 1 ? rows : Math.max(rows, 64))
    }
    if (w.depth !== 1 && x.count <= maxAxpys) return thin(axpys, AXPY_COLS)

    if (native && m * n * k >= MIN_NATIVE_MULTIPLIES) {
      native(layout, a, b, out, sizes)
      if (epilogue) finish(epilogue, out, size)
      return
    }
    const { tileM, tileN } = matmulTile(m, n, k, engine.info.threads)
    const count = batch * Math.ceil(m / tileM) * Math.ceil(n / tileN)
    const grain = Math.floor(TILE_MULTIPLIES / (Math.min(tileM, m) * Math.min(tileN, n) * k))
    const steps = [left.step, left.depth, right.step, right.depth]
    const residual = epilogue?.kind === 'add' ? epilogue.residual : 0
    const last = [adds, epilogue ? EPILOGUE_CODES[epilogue.kind] : 0, residual]
    const args = [a, b, out, m, n, k, strideA, strideB, ...steps, tileM, tileN, ...last]
    tiles(args, count, Math.max(1, grain), work)
  }
}
