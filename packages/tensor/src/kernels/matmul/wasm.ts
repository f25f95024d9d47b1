import type { CpuEngine, Launch } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { Layout, MatmulKernel, MatmulSizes } from './matmul.ts'

/** Micro-kernel and panel sizes of assembly/matmul-micro.ts: tiles are multiples of them. */
const MR = 6
const NR = 8
/** A tile's slice of B must fit in the workspace. */
const MAX_TILE_COLS = 1024
/** Elements of C in a tile: at most, and no less than, if there would be fewer than WANTED_TILES. Large tiles pack less, small
 *  ones spread better over threads; at 192 × 384 packing costs 5 %. */
const MAX_TILE_AREA = 192 * 384
const MIN_TILE_AREA = 48 * 64
const WANTED_TILES = 8
/** Products this small are done several to a tile, about 40 µs. */
const GRAIN_MULTIPLIES = 1 << 20

/** With at most this many rows (or columns) of C, reading the other operand in place beats packing it. */
const MAX_DOTS = 16
const MAX_AXPYS = 12
/** Floats of the workspace; bounds what the thin kernels keep there. */
const WORKSPACE_FLOATS = 1 << 20
/** Columns that {@link axpys} sums at a time: eight rows of them are 16 KiB. */
const AXPY_COLS = 512

const roundUp = (value: number, step: number): number => Math.ceil(value / step) * step

/** Rows and columns of a tile of C: halves of halves of C, the longer side first. A function of the shape only. */
export function matmulTile(m: number, n: number): { tileM: number; tileN: number } {
  let partsM = 1
  let partsN = 1
  for (;;) {
    const rows = Math.ceil(m / partsM)
    const cols = Math.ceil(n / partsN)
    const area = rows * cols
    const large = area > MAX_TILE_AREA || cols > MAX_TILE_COLS
    const spread = partsM * partsN < WANTED_TILES && area >= 2 * MIN_TILE_AREA
    if (!large && !spread) return { tileM: roundUp(rows, MR), tileN: roundUp(cols, NR) }
    if (cols > rows || cols > MAX_TILE_COLS) partsN *= 2
    else partsM *= 2
  }
}

/** Elements from one value of an index to the next. */
interface Steps {
  readonly aRow: number
  readonly aDepth: number
  readonly bCol: number
  readonly bDepth: number
}

/** One of each pair is 1. A single row or column lies along k in every layout. */
function stepsOf(layout: Layout, { m, n, k }: MatmulSizes): Steps {
  const aAlongDepth = layout !== 'tn' || m === 1
  const bAlongDepth = layout === 'nt' || n === 1
  return {
    ...(aAlongDepth ? { aRow: k, aDepth: 1 } : { aRow: 1, aDepth: m }),
    ...(bAlongDepth ? { bCol: k, bDepth: 1 } : { bCol: 1, bDepth: n }),
  }
}

/** One product as the thin kernels see it: the short operand X, the long one W and where C's elements go. */
interface Thin {
  readonly x: number
  readonly w: number
  readonly out: number
  readonly batch: number
  readonly few: number
  readonly many: number
  readonly k: number
  readonly strideX: number
  readonly strideW: number
  readonly xFew: number
  readonly xDepth: number
  readonly outFew: number
  readonly outMany: number
  /** Whether W's rows lie along k (dot products) or across it (sums of rows). */
  readonly wAlongDepth: boolean
}

function thinOf(layout: Layout, a: number, b: number, out: number, sizes: MatmulSizes): Thin {
  const { batch, m, n, k, strideA, strideB } = sizes
  const { aRow, aDepth, bCol, bDepth } = stepsOf(layout, sizes)
  const fewRows = {
    ...{ x: a, w: b, out, batch, few: m, many: n, k, strideX: strideA, strideW: strideB },
    ...{ xFew: aRow, xDepth: aDepth, outFew: n, outMany: 1, wAlongDepth: bDepth === 1 },
  }
  const fewCols = {
    ...{ x: b, w: a, out, batch, few: n, many: m, k, strideX: strideB, strideW: strideA },
    ...{ xFew: bCol, xDepth: bDepth, outFew: 1, outMany: n, wAlongDepth: aDepth === 1 },
  }
  return m <= n ? fewRows : fewCols
}

function runThin(launch: Launch, thin: Thin, chunk: number): void {
  const { x, w, out, batch, few, many, k, strideX, strideW, xFew, xDepth, outFew, outMany } = thin
  const items = batch * Math.ceil(many / chunk)
  const grain = Math.max(1, Math.floor(ELEMENT_GRAIN / (Math.min(chunk, many) * Math.max(1, k))))
  launch([x, w, out, few, many, k, strideX, strideW, xFew, xDepth, outFew, outMany, chunk], items, grain)
}

/** Rows of W in a chunk of dot products: about 128 KiB, a multiple of 4; more where X must be transposed for each chunk. */
function dotsChunk({ k, xDepth }: Thin): number {
  const rows = roundUp(ELEMENT_GRAIN / Math.max(1, k), 4)
  return xDepth === 1 ? rows : Math.max(rows, 64)
}

export function matmulWasm(engine: CpuEngine): MatmulKernel {
  const tiles = engine.kernel(tensorWasm, 'matmul')
  const dots = engine.kernel(tensorWasm, 'matmulDots')
  const axpys = engine.kernel(tensorWasm, 'matmulAxpys')
  return (layout, a, b, out, sizes) => {
    const { batch, m, n, k, strideA, strideB } = sizes
    if (batch * m * n === 0) return
    const thin = thinOf(layout, a, b, out, sizes)
    if (thin.wAlongDepth) {
      if (thin.few <= MAX_DOTS && (thin.xDepth === 1 || thin.few * k <= WORKSPACE_FLOATS))
        return runThin(dots, thin, dotsChunk(thin))
    } else if (thin.few <= MAX_AXPYS) return runThin(axpys, thin, AXPY_COLS)

    const { aRow, aDepth, bCol, bDepth } = stepsOf(layout, sizes)
    const { tileM, tileN } = matmulTile(m, n)
    const count = batch * Math.ceil(m / tileM) * Math.ceil(n / tileN)
    const multiplies = Math.min(tileM, m) * Math.min(tileN, n) * Math.max(1, k)
    const grain = Math.max(1, Math.floor(GRAIN_MULTIPLIES / multiplies))
    tiles([a, b, out, m, n, k, strideA, strideB, aRow, aDepth, bCol, bDepth, tileM, tileN], count, grain)
  }
}
