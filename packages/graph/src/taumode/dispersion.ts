import { matrixOf, type Points } from '../dense/points.ts'
import { safeScale } from '../dense/scale.ts'
import { GraphError } from '../errors.ts'
import { type Csr, checkCsr, checkFinite } from '../sparse/csr.ts'
import { Watch, type WatchOptions } from '../watch/watch.ts'

/** Dispersion of every row: a measure of how few edges of the graph hold the energy of the row. x [N, D] · L
 *  [D, D] symmetric → G [N] in [0, 1], no unit.
 *  e_ij = w_ij (x_i − x_j)² over the edges i < j, w_ij = max(0, −L_ij);  s_ij = e_ij / Σ e;  G = Σ s_ij². For
 *  L = D − W, Σ e is xᵀLx.
 *  G is 1 if one edge holds all energy, and 1/n if n edges hold equal shares. It is 0 if there is no energy,
 *  because x is constant on every component.
 *  If L is not symmetric, its upper half counts. Positive elements off the diagonal are not edges. O(N ·
 *  nnz).
 *  Source: ArrowSpace, JOSS 10.21105/joss.09002 ("edgewise dispersion statistics"). The formula comes from
 *  the notes in its taumode.rs. Its code counts every edge in both directions and so gets G / 2; this does
 *  not.
 *  Throws GraphError if L is not [D, D], not well formed or not finite, or if x has a number that is not
 *  finite. Throws the signal's reason when it is aborted. */
export const edgeDispersion = (points: Points, laplacian: Csr, options: WatchOptions = {}): Float64Array => {
  const x = matrixOf('edgeDispersion', points)
  checkCsr('edgeDispersion: L', laplacian)
  checkFinite('edgeDispersion: L', laplacian)
  const { rows, cols } = x
  if (laplacian.nRows !== cols || laplacian.nCols !== cols) {
    throw new GraphError(
      `edgeDispersion: L must be [D, D] = [${cols}, ${cols}], got [${laplacian.nRows}, ${laplacian.nCols}]; rebuild the graph on those features`,
    )
  }
  const edges = edgesOf(laplacian)
  const out = new Float64Array(rows)
  const row = new Float64Array(cols)
  const energies = new Float64Array(edges.weight.length)
  const watch = new Watch(options)
  for (let n = 0; n < rows; n++) {
    watch.step(n / rows)
    const factor = safeScale(x.data, n * cols, (n + 1) * cols) // it does not change the shares
    for (let c = 0; c < cols; c++) row[c] = x.data[n * cols + c] * factor
    out[n] = concentration(row, edges, energies)
  }
  watch.finish()
  return out
}

interface Edges {
  from: Int32Array
  to: Int32Array
  weight: Float64Array
}

const edgesOf = ({ nRows, indptr, indices, values }: Csr): Edges => {
  const from: number[] = []
  const to: number[] = []
  const weight: number[] = []
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (indices[e] <= i || values[e] >= 0) continue
      from.push(i)
      to.push(indices[e])
      weight.push(-values[e])
    }
  }
  return { from: Int32Array.from(from), to: Int32Array.from(to), weight: Float64Array.from(weight) }
}

const concentration = (x: Float64Array, { from, to, weight }: Edges, energies: Float64Array): number => {
  let total = 0
  for (let e = 0; e < weight.length; e++) {
    const difference = x[from[e]] - x[to[e]]
    energies[e] = weight[e] * difference * difference
    total += energies[e]
  }
  if (total === 0) return 0
  let sum = 0
  for (let e = 0; e < energies.length; e++) {
    const share = energies[e] / total
    sum += share * share
  }
  return Math.min(1, sum)
}
