import { type Csr, checkCsr, checkFinite, keepEntries } from '../sparse/csr.ts'

/** ArrowSpace's inline sparsification of weights [n, n] (`affinity`). It changes nothing if rows have at most
 *  10 entries on average. Otherwise every row of more than 2 entries keeps the better half (rounded down) by
 *  w √(deg_i deg_j). deg is the number of entries of a row. Equal products go to the larger weight, then to
 *  the smaller index.
 *  Throws GraphError for a matrix that is not well formed or not finite, naming the place. */
export const strongestHalf = (weights: Csr): Csr => {
  checkCsr('strongestHalf', weights)
  checkFinite('strongestHalf', weights)
  const { nRows, indptr, indices, values } = weights
  if (values.length / nRows <= 10) return weights
  const degree = (node: number) => indptr[node + 1] - indptr[node]
  const isKept = new Uint8Array(values.length).fill(1)
  for (let i = 0; i < nRows; i++) {
    if (degree(i) <= 2) continue
    const score = (e: number) => values[e] * Math.sqrt(degree(i) * degree(indices[e]))
    const entries = Array.from({ length: degree(i) }, (_, n) => indptr[i] + n)
    entries.sort((a, b) => score(b) - score(a) || values[b] - values[a] || a - b)
    for (const e of entries.slice(entries.length >> 1)) isKept[e] = 0
  }
  return keepEntries(weights, (e) => isKept[e] === 1)
}
