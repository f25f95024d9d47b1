import { Random } from '@tau/tensor'
import { impliedDistance } from '../adjacency/affinity.ts'
import { type FiveNumbers, fiveNumbers } from '../dense/five-numbers.ts'
import { GraphError } from '../errors.ts'
import { connectedComponents } from '../sparse/components.ts'
import { type Csr, checkCsr, checkFinite, nnz, spmv, symmetryError } from '../sparse/csr.ts'
import { DEFAULT_EPS, rayleighEnergies } from '../taumode/taumode.ts'
import type { WatchOptions } from '../watch/watch.ts'

export interface DescribeOptions extends WatchOptions {
  /** σ and p of the rational kernel that made the weights; if both are given, the implied distances are
   *  computed and checked */
  sigma?: number
  p?: number
  /** number of random vectors for the energies, 256 unless given */
  probes?: number
  /** seed of the random vectors, 0 unless given */
  seed?: number
}

export interface ManifoldDescription {
  size: number
  /** stored entries, the diagonal included */
  nnz: number
  /** nnz / size² */
  density: number
  /** undirected edges: pairs i < j with L_ij or L_ji not 0 */
  edges: number
  /** number of neighbours per node */
  neighbors: FiveNumbers
  /** diagonal: weighted degree per node */
  degree: FiveNumbers
  /** edge weights −L_ij */
  weights: FiveNumbers
  /** distances that the weights imply under the rational kernel; undefined unless sigma and p are given */
  impliedDistances: FiveNumbers | undefined
  components: number
  isolated: number
  /** max |Σ_j L_ij| */
  rowSumError: number
  /** max |L_ij − L_ji| */
  symmetryError: number
  /** Rayleigh energies of seeded standard normal vectors */
  energy: FiveNumbers
  hubs: HubReport | undefined
  /** one sentence for each difference from a plain k-nearest-neighbour graph */
  oddities: string[]
}

/** A few nodes that touch nearly all edges. */
export interface HubReport {
  nodes: number[]
  /** share of the edges with at least one end in a hub */
  edgeShare: number
  /** number of neighbours of the nodes that are not hubs, if it is the same for all of them */
  neighborsOutside: number | undefined
}

/** Describes a Laplacian before training on it: structure, errors, energies, oddities.
 *  Throws GraphError if L is not well formed, square and finite, and the signal's reason when it is
 *  aborted. */
export const describeManifold = (
  laplacian: Csr,
  { sigma, p, probes, seed, ...options }: DescribeOptions = {},
): ManifoldDescription => {
  checkCsr('describeManifold', laplacian)
  checkFinite('describeManifold', laplacian)
  const { nRows: size, nCols } = laplacian
  if (size !== nCols) throw new GraphError(`describeManifold: L must be square, got [${size}, ${nCols}]`)
  const graph = graphOf(laplacian)
  const counts = graph.neighbors.map((list) => list.length)
  const implied =
    sigma !== undefined && p !== undefined
      ? fiveNumbers(graph.weights.filter((w) => w > 0 && w <= 1).map((w) => impliedDistance(w, sigma, p)))
      : undefined
  const description: ManifoldDescription = {
    size,
    nnz: nnz(laplacian),
    density: nnz(laplacian) / (size * size),
    edges: graph.weights.length,
    neighbors: fiveNumbers(counts),
    degree: fiveNumbers(graph.degree),
    weights: fiveNumbers(graph.weights),
    impliedDistances: implied,
    components: connectedComponents(laplacian).count,
    isolated: counts.filter((count) => count === 0).length,
    rowSumError: spmv(laplacian, new Float64Array(size).fill(1)).reduce(
      (m, v) => Math.max(m, Math.abs(v)),
      0,
    ),
    symmetryError: symmetryError(laplacian).error,
    energy: fiveNumbers(probeEnergies(laplacian, { probes, seed, ...options })),
    hubs: findHubs(graph.neighbors, graph.weights.length),
    oddities: [],
  }
  description.oddities = findOddities(description, graph.weights)
  return description
}

interface Graph {
  /** the neighbours of each node, ascending */
  neighbors: number[][]
  /** one weight per undirected edge */
  weights: number[]
  degree: Float64Array
}

const graphOf = ({ nRows, indptr, indices, values }: Csr): Graph => {
  const neighbors = Array.from({ length: nRows }, () => new Set<number>())
  const weights: number[] = []
  const degree = new Float64Array(nRows)
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      const j = indices[e]
      if (j === i) degree[i] = values[e]
      else if (values[e] !== 0) {
        if (i < j || !neighbors[j].has(i)) weights.push(-values[e])
        neighbors[i].add(j)
      }
    }
  }
  for (let i = 0; i < nRows; i++) for (const j of neighbors[i]) neighbors[j].add(i)
  return { neighbors: neighbors.map((set) => [...set].sort((a, b) => a - b)), weights, degree }
}

/** Rayleigh energies of `probes` (256) standard normal vectors drawn with `seed` (0). `describeManifold`
 *  gives their quantiles. */
export const probeEnergies = (
  laplacian: Csr,
  { probes = 256, seed = 0, ...options }: Pick<DescribeOptions, 'probes' | 'seed'> & WatchOptions = {},
): Float64Array => {
  checkCsr('probeEnergies', laplacian)
  const random = new Random(seed)
  const data = Float64Array.from({ length: probes * laplacian.nRows }, () => random.gaussian())
  return rayleighEnergies({ data, rows: probes, cols: laplacian.nRows }, laplacian, DEFAULT_EPS, options)
}

/** Finds hubs: nodes with more than four times the median number of neighbours. They must be at most a tenth
 *  of all nodes and touch at least 90 % of the edges. */
const findHubs = (neighbors: number[][], edges: number): HubReport | undefined => {
  const median = fiveNumbers(neighbors.map((list) => list.length)).median
  const isHub = neighbors.map((list) => list.length > 4 * median)
  const nodes = isHub.flatMap((hub, i) => (hub ? [i] : []))
  if (edges === 0 || nodes.length === 0 || nodes.length > neighbors.length / 10) return undefined
  let outside = 0
  for (let i = 0; i < neighbors.length; i++) {
    if (!isHub[i]) outside += neighbors[i].filter((j) => j > i && !isHub[j]).length
  }
  const edgeShare = 1 - outside / edges
  if (edgeShare < 0.9) return undefined
  const counts = new Set(neighbors.filter((_, i) => !isHub[i]).map((list) => list.length))
  return { nodes, edgeShare, neighborsOutside: counts.size === 1 ? [...counts][0] : undefined }
}

const findOddities = (d: ManifoldDescription, weights: number[]): string[] => {
  const oddities: string[] = []
  const percent = (share: number) => `${(100 * share).toFixed(1)} %`
  if (d.hubs) {
    const { nodes, edgeShare, neighborsOutside } = d.hubs
    oddities.push(
      `hub features: ${nodes.length} of ${d.size} nodes (${list(nodes)}) touch ${percent(edgeShare)} of the ${d.edges} edges` +
        `${commonStep(nodes)}; the graph says little about how the other features relate`,
    )
    if (neighborsOutside !== undefined) {
      oddities.push(`every node that is not a hub has exactly ${neighborsOutside} neighbours`)
    }
  }
  if (d.impliedDistances && d.impliedDistances.max > 1 + 1e-9) {
    oddities.push(
      `weights imply distances up to ${d.impliedDistances.max.toPrecision(4)} (median ${d.impliedDistances.median.toPrecision(4)}): ` +
        'a rectified cosine distance is at most 1, so unlike features are joined',
    )
  }
  const negative = weights.filter((w) => w < 0).length
  if (negative) oddities.push(`${negative} of ${d.edges} edges have a negative weight (L_ij > 0)`)
  if (d.edges > 1 && d.weights.max - d.weights.min <= 1e-6 * d.weights.max) {
    oddities.push(
      `all ${d.edges} weights are equal (${d.weights.max}): they say only which features are joined`,
    )
  }
  if (d.edges === 0) oddities.push('no edges: every energy is 0')
  if (d.isolated) oddities.push(`${d.isolated} isolated nodes: those features never change an energy`)
  if (d.components > 1) oddities.push(`${d.components} connected components`)
  const scale = Math.max(d.degree.max, Number.MIN_VALUE)
  if (d.symmetryError > 1e-6 * scale) {
    oddities.push(`not symmetric: |L_ij - L_ji| up to ${d.symmetryError}; check that the whole file was read`)
  }
  if (d.rowSumError > 1e-6 * scale) {
    oddities.push(`rows do not sum to 0: up to ${d.rowSumError}; L is normalised, or entries are missing`)
  }
  return oddities
}

const list = (nodes: number[]): string =>
  nodes.length <= 8 ? nodes.join(', ') : `${nodes.slice(0, 8).join(', ')}, …`

/** ", all multiples of 24" if the indices of at least four hubs share a divisor above 1, which is unlikely by
 *  chance. */
const commonStep = (nodes: number[]): string => {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
  const step = nodes.reduce(gcd, 0)
  return nodes.length >= 4 && step > 1 ? `, all multiples of ${step}` : ''
}
