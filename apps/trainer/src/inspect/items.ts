import {
  type Csr,
  type DenseMatrix,
  type FiveNumbers,
  fitTaumode,
  fiveNumbers,
  kneighbors,
  kneighborsGraph,
  type LabelledEmbeddings,
  laplacian,
  type Manifold,
  reduceEmbeddings,
  symmetrize,
  type TauPolicy,
} from '@tau/graph'
import { spread } from '@tau/report'

/** Drawn are some items and those nearest to each; joined are the nearest among all of these. */
const SEEDS = 12
const NEAR = 14
const JOINED = 3
/** Files of words begin with the common ones, which say more. */
const SEEDS_AMONG = 10_000
/** Items named at either end of λ. */
const ENDS = 24

/** What the rows that a manifold was built from look like on it. */
export interface ItemLook {
  readonly count: number
  readonly energy: FiveNumbers
  /** That of the manifold, or the median of the energies: λ = E / (E + τ) is ½ there. */
  readonly tau: number
  readonly lambda: Float64Array
  readonly lowest: readonly Item[]
  readonly highest: readonly Item[]
  /** Some of them. */
  readonly shown: readonly Item[]
  /** Laplacian of the graph that joins the shown ones to those nearest by cosine, all weights 1. */
  readonly graph: Csr
}

interface Item {
  readonly name: string
  readonly lambda: number
}

/** λ of every embedding on the manifold, and a graph among some of them. Embeddings are reduced as they were when it was built; those of
 *  another file are not the same directions, which cannot be seen. Throws GraphError where their width fits neither way. */
export async function lookAtItems(manifold: Manifold, embeddings: LabelledEmbeddings): Promise<ItemLook> {
  const { labels, rows } = embeddings
  const { energy, tau, lambda } = fitTaumode(reducedAs(manifold, embeddings), manifold.laplacian, {
    policy: tauOf(manifold),
  })
  const item = (row: number): Item => ({ name: labels?.[row] ?? String(row), lambda: lambda[row] })
  const order = Array.from({ length: rows }, (_, row) => row).sort((a, b) => lambda[a] - lambda[b] || a - b)
  const chosen = await shownRows(embeddings, order)
  const nearest = await kneighborsGraph(rowsAt(embeddings, chosen), {
    k: Math.min(JOINED, chosen.length - 1),
    metric: METRIC,
  })
  return {
    count: rows,
    energy: fiveNumbers(energy),
    tau: tau[0],
    lambda,
    lowest: order.slice(0, ENDS).map(item),
    highest: order.slice(-ENDS).reverse().map(item),
    shown: chosen.map(item),
    graph: laplacian(symmetrize(nearest)),
  }
}

const METRIC = 'cosine-unrectified'

/** Some of the first rows, evenly spread over their λ, and those nearest to each, ascending. */
async function shownRows(embeddings: DenseMatrix, byLambda: readonly number[]): Promise<number[]> {
  const first = byLambda.filter((row) => row < SEEDS_AMONG)
  const seeds = spread(first.length, SEEDS).map((i) => first[i])
  const { indices } = await kneighbors(embeddings, {
    k: Math.min(NEAR, embeddings.rows),
    queries: rowsAt(embeddings, seeds),
    metric: METRIC,
  })
  return Array.from(new Set([...seeds, ...indices])).sort((a, b) => a - b)
}

function rowsAt({ data, cols }: DenseMatrix, rows: readonly number[]): DenseMatrix {
  const part = new Float64Array(rows.length * cols)
  for (const [i, row] of rows.entries()) part.set(data.subarray(row * cols, (row + 1) * cols), i * cols)
  return { data: part, rows: rows.length, cols }
}

/** A setting that the manifold was built with. */
const settingOf = ({ metadata }: Manifold, key: string) =>
  Object.values(metadata?.builder_config[key] ?? {})[0]

function tauOf(manifold: Manifold): TauPolicy {
  const value = settingOf(manifold, 'tau_tau')
  return typeof value === 'number' ? { name: 'fixed', value } : { name: 'median' }
}

function reducedAs(manifold: Manifold, embeddings: DenseMatrix): DenseMatrix {
  const setting = (key: string) => settingOf(manifold, key)
  const method = setting('tau_reduce')
  if (method !== 'random' && method !== 'pca' && method !== 'rotated-pca') return embeddings
  const seed = setting('tau_seed')
  return reduceEmbeddings(embeddings, {
    dim: manifold.laplacian.nRows,
    method,
    center: setting('tau_center') === true,
    ...(typeof seed === 'number' && { seed }),
  })
}
