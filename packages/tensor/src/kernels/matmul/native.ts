import type { CpuEngine } from '../../backends/cpu/engine.ts'
import type { GemmProgram } from '../../backends/cpu/gemm.ts'
import type { MatmulKernel } from './matmul.ts'
import { cutInHalves, roundUp } from './tile.ts'
import { matmulWork } from './work.ts'

/** Elements of C that one call of the library gets, at most. Larger tiles pack less, smaller ones spread better. */
const MAX_AREA = 1024 * 1024
/** A product is cut into this many tiles at least: 8 of them ran at 0.85 of the speed of 4, on two threads. */
const WANTED_TILES = 4
const MIN_AREA = 64 * 64
/** Micro-kernels of 16 rows and columns have no rest in the middle of C. */
const STEP = 16
/** Multiplies of a call that is worth handing out. */
const TILE_MULTIPLIES = 1 << 19

/** What every thread runs: items are tiles of a batch of products, and each is one call of the library. */
const tilesOf = ({ source }: GemmProgram): string => `
const sgemm = ((memory) => {${source}
})(memory)
const matmul = (a, b, out, m, n, k, strideA, strideB, transA, transB, tileM, tileN, adds, begin, end) => {
  const across = Math.ceil(n / tileN)
  const tiles = Math.ceil(m / tileM) * across
  for (let item = begin; item < end; item++) {
    const batch = Math.floor(item / tiles)
    const i = Math.floor((item % tiles) / across) * tileM
    const j = (item % across) * tileN
    const left = a + 4 * (batch * strideA + (transA ? i : i * k))
    const right = b + 4 * (batch * strideB + (transB ? j * k : j))
    const c = out + 4 * ((batch * m + i) * n + j)
    const rows = Math.min(tileM, m - i)
    const cols = Math.min(tileN, n - j)
    sgemm(!!transA, !!transB, rows, cols, k, left, transA ? m : k, right, transB ? k : n, !!adds, c, n)
  }
}
return { matmul }`

/** Products by the device's library. Its own threads would wait for ours, which look for work for 50 µs after each kernel, and its
 *  bits depend on their number: each of our threads calls it for tiles, whose sizes depend on those of the product only. */
export function matmulNative(engine: CpuEngine, program: GemmProgram): MatmulKernel {
  const tiles = engine.script(tilesOf(program), 'matmul', program.name)
  return (layout, a, b, out, sizes) => {
    const { batch, m, n, k, strideA, strideB, accumulate } = sizes
    const { rows, cols } = cutInHalves(m, n, {
      maxArea: MAX_AREA,
      maxCols: Number.POSITIVE_INFINITY,
      minArea: MIN_AREA,
      wanted: WANTED_TILES,
    })
    const tileM = roundUp(rows, STEP)
    const tileN = roundUp(cols, STEP)
    const count = batch * Math.ceil(m / tileM) * Math.ceil(n / tileN)
    const grain = Math.max(1, Math.floor(TILE_MULTIPLIES / (Math.min(tileM, m) * Math.min(tileN, n) * k)))
    const [transA, transB] = [layout === 'tn' ? 1 : 0, layout === 'nt' ? 1 : 0]
    const args = [a, b, out, m, n, k, strideA, strideB, transA, transB, tileM, tileN, accumulate ? 1 : 0]
    tiles(args, count, grain, matmulWork(layout, sizes))
  }
}
