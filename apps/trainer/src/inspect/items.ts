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

/** Number of seed items in the drawing. */
const SEEDS = 12
/** Nearest items that are drawn for each seed, itself included. */
const NEAR = 14
/** Edges from each drawn item to its nearest drawn items. */
const JOINED = 3
/** Seeds are among this many first items, because files of words begin with common words, which say more. */
const SEEDS_AMONG = 10_000
/** Number of items in the lists of lowest and highest λ. */
const ENDS = 24

/** The embeddings that a manifold was built from, seen on the manifold. */
export interface ItemLook {
  readonly count: number
  readonly energy: FiveNumbers
  /** τ of the manifold, or else the median of the energies. λ = E / (E + τ) is ½ at E = τ. */
  readonly tau: number
  readonly lambda: Float64Array
  readonly lowest: readonly Item[]
  readonly highest: readonly Item[]
  /** The items in the drawing. */
  readonly shown: readonly Item[]
  /** Laplacian of the graph among the shown items. Edges join an item to its nearest by cosine, with weight
   *  1. */
  readonly graph: Csr
}

interface Item {
  readonly name: string
  readonly lambda: number
}

/** Computes λ of every embedding on the manifold, and a graph among some of them. The embeddings are reduced
 *  as they were when the manifold was built. If they come from another file, the result is meaningless, and
 *  this cannot be detected. Throws GraphError if their width does not fit the manifold. */
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

/** Rows to draw, ascending: some of the first rows, evenly spread over their λ, and the rows nearest to
 *  each. */
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

/** Value of a setting that the manifold was built with. */
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
