import type { CpuEngine, Launch } from '@tau/tensor/kernel'

/** Rows of a stripe of a product. Fewer rows waste less above the diagonal; more rows make the library
 *  faster. */
const STRIPE = 128

/** The program of every thread. It does the items of `gramTiles` with calls of the library. A stripe is only
 *  as wide as the diagonal requires. */
const program = (source: string): string => `
const sgemm = ((memory) => {${source}
})(memory)
const gramTiles = (x, partials, rows, cols, chunk, begin, end) => {
  const across = Math.ceil(cols / 480)
  const tiles = (across * (across + 1)) / 2
  for (let item = begin; item < end; item++) {
    const z = Math.floor(item / tiles)
    let col = item % tiles
    let row = 0
    while (col > row) col -= ++row
    const from = x + 4 * z * chunk * cols
    const out = partials + 4 * z * cols * cols
    const depth = Math.min(chunk, rows - z * chunk)
    const right = Math.min(cols, (col + 1) * 480)
    for (let i = row * 480; i < Math.min(cols, (row + 1) * 480); i += ${STRIPE}) {
      const stripe = Math.min(${STRIPE}, Math.min(cols, (row + 1) * 480) - i)
      const width = (row === col ? Math.min(right, i + stripe) : right) - col * 480
      const c = out + 4 * (i * cols + col * 480)
      sgemm(true, false, stripe, width, depth, from + 4 * i, cols, from + 4 * col * 480, cols, false, c, cols)
    }
  }
}
return { gramTiles }`

/** Multiplies the tiles of a Gram matrix by the device's BLAS, if it has one. */
export const nativeTiles = (engine: CpuEngine): Launch | undefined =>
  engine.gemm && engine.script(program(engine.gemm.source), 'gramTiles', engine.gemm.name)
