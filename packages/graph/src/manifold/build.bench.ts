import { type HostBench, randomArray } from '@tau/testing'
import { checkLaplacian } from '../laplacian/check.ts'
import { buildManifold } from './build.ts'

const [ROWS, WIDTH, DIM] = [3000, 64, 32]

/** 3000 embeddings → the Laplacian of tau-nano's heads: reduction to 32 features, neighbours, weights, D −
 *  W. */
export const benches: readonly HostBench[] = [
  {
    name: 'graph/domain-laplacian/nano',
    shape: `[${ROWS}, ${WIDTH}] to [${DIM}, ${DIM}]`,
    items: { count: ROWS, unit: 'embeddings' },
    prepare() {
      // Real embeddings have a falling spectrum, too.
      const data = randomArray(ROWS * WIDTH, 1).map((value, n) => value / (1 + (n % WIDTH)))
      const run = () => buildManifold({ data, rows: ROWS, cols: WIDTH }, { dim: DIM })
      return {
        run: async () => void (await run()),
        async check() {
          const { laplacian, info } = await run()
          const { ok, problems } = checkLaplacian(laplacian, { size: DIM })
          if (!ok) throw new Error(`bench: the Laplacian must be valid, got problems: ${problems.join('; ')}`)
          if (info.edges < (DIM * info.k) / 2)
            throw new Error(
              `bench: a graph of ${DIM} nodes with k ${info.k} must have ${(DIM * info.k) / 2} or more edges, got ${info.edges}`,
            )
        },
      }
    },
  },
]
