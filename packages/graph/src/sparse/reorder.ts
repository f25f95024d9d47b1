import type { Csr } from './csr.ts'

/** Breadth-first order of the nodes along stored entries; each component starts from its first node. m [n, n]
 *  must have a symmetric pattern. Neighbours get near numbers in this order, so a product finds its operands
 *  in the cache. */
export const breadthFirstOrder = ({ nRows, indptr, indices }: Csr): Int32Array => {
  const order = new Int32Array(nRows)
  const seen = new Uint8Array(nRows)
  let tail = 0
  for (let start = 0; start < nRows; start++) {
    if (seen[start]) continue
    seen[start] = 1
    let head = tail
    order[tail++] = start
    while (head < tail) {
      const node = order[head++]
      for (let e = indptr[node]; e < indptr[node + 1]; e++) {
        const next = indices[e]
        if (seen[next]) continue
        seen[next] = 1
        order[tail++] = next
      }
    }
  }
  return order
}

/** Rows and columns of a symmetric m [n, n] in a new order: element (i, j) of the result is m[order[i],
 *  order[j]]. */
export const permuted = (m: Csr, order: Int32Array): Csr => {
  const place = new Int32Array(order.length)
  for (let i = 0; i < order.length; i++) place[order[i]] = i
  const indptr = new Int32Array(m.nRows + 1)
  for (let i = 0; i < m.nRows; i++) {
    indptr[i + 1] = indptr[i] + m.indptr[order[i] + 1] - m.indptr[order[i]]
  }
  // Row i of the result is also its column i, by symmetry. Filling it column after column gives every row in
  // order.
  const next = indptr.slice()
  const indices = new Int32Array(m.indices.length)
  const values = new Float64Array(m.values.length)
  for (let i = 0; i < m.nRows; i++) {
    for (let e = m.indptr[order[i]]; e < m.indptr[order[i] + 1]; e++) {
      const slot = next[place[m.indices[e]]]++
      indices[slot] = i
      values[slot] = m.values[e]
    }
  }
  return { nRows: m.nRows, nCols: m.nCols, indptr, indices, values }
}
