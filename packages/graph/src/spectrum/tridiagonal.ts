/** Qᵀ·a·Q with three diagonals. */
export interface Tridiagonal {
  readonly diagonal: Float64Array
  /** element i stands beside diagonals i and i + 1; the last is 0 */
  readonly beside: Float64Array
  /** Qᵀ [n, n] */
  readonly vectors: Float64Array
}

/** Householder reduction of a symmetric matrix a [n, n], row-major, of which the lower half is read and all is used up. A reflection is
 *  I − 2·v·vᵀ with v of length 1; v of column k is kept in the free half of row k. 4/3·n³ operations, and as many for Q; `turn` is awaited
 *  between parts of n².
 *  Source: Golub and Van Loan, "Matrix Computations", 4th ed., section 8.3. */
export const tridiagonalise = async (
  a: Float64Array,
  size: number,
  turn: (share: number) => Promise<void>,
): Promise<Tridiagonal> => {
  const diagonal = new Float64Array(size)
  const beside = new Float64Array(size)
  const image = new Float64Array(size)
  for (let k = 0; k < size; k++) {
    diagonal[k] = a[k * size + k]
    if (k < size - 1) beside[k] = reflector(a, size, k)
    if (k < size - 2) reflect(a, size, k, image)
    await turn((1 - (1 - k / size) ** 3) / 2)
  }
  const vectors = new Float64Array(size * size)
  for (let i = 0; i < size; i++) vectors[i * size + i] = 1
  for (let k = size - 3; k >= 0; k--) {
    const v = a.subarray(k * size, (k + 1) * size)
    for (let row = k + 1; row < size; row++) {
      const own = vectors.subarray(row * size, (row + 1) * size)
      const twice = 2 * dot(v, own, k + 1, size)
      for (let j = k + 1; j < size; j++) own[j] -= twice * v[j]
    }
    await turn(1 / 2 + (1 - k / size) ** 3 / 2)
  }
  return { diagonal, beside, vectors }
}

/** The unit vector v whose reflection takes column k below the diagonal to (value, 0, …), written to row k right of the diagonal. → value */
const reflector = (a: Float64Array, size: number, k: number): number => {
  const row = k * size
  let square = 0
  for (let i = k + 1; i < size; i++) {
    const element = a[i * size + k]
    a[row + i] = element
    square += element * element
  }
  const head = a[row + k + 1]
  if (k === size - 2) return head
  const value = head > 0 ? -Math.sqrt(square) : Math.sqrt(square)
  // |x − value·e|² = 2·(square − value·head), a sum of terms of one sign
  const norm = Math.sqrt(2 * (square - value * head))
  a[row + k + 1] = head - value
  const factor = norm === 0 ? 0 : 1 / norm
  for (let i = k + 1; i < size; i++) a[row + i] *= factor
  return value
}

/** The lower half of rows and columns behind k ← H·a·H = a − v·wᵀ − w·vᵀ with w = 2·(a·v − (vᵀ·a·v)·v). */
const reflect = (a: Float64Array, size: number, k: number, image: Float64Array): void => {
  const v = a.subarray(k * size, (k + 1) * size)
  image.fill(0)
  for (let i = k + 1; i < size; i++) {
    const row = a.subarray(i * size, (i + 1) * size)
    const own = v[i]
    for (let j = k + 1; j < i; j++) image[j] += row[j] * own
    image[i] += dot(row, v, k + 1, i + 1)
  }
  let along = 0
  for (let i = k + 1; i < size; i++) along += v[i] * image[i]
  for (let i = k + 1; i < size; i++) image[i] = 2 * (image[i] - along * v[i])
  for (let i = k + 1; i < size; i++) {
    const at = i * size
    const [own, ownImage] = [v[i], image[i]]
    for (let j = k + 1; j <= i; j++) a[at + j] -= own * image[j] + ownImage * v[j]
  }
}

/** x·y over [begin, end), in four sums: one would wait for every addition. */
const dot = (x: Float64Array, y: Float64Array, begin: number, end: number): number => {
  let [a, b, c, d] = [0, 0, 0, 0]
  let j = begin
  for (; j + 4 <= end; j += 4) {
    a += x[j] * y[j]
    b += x[j + 1] * y[j + 1]
    c += x[j + 2] * y[j + 2]
    d += x[j + 3] * y[j + 3]
  }
  for (; j < end; j++) a += x[j] * y[j]
  return a + b + (c + d)
}
