import type { Random } from '@tau/tensor'
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { type Csr, spmv } from '../sparse/csr.ts'

const STEPS = 15

/** Two numbers from 15 Lanczos steps. `bound` is nearly always an upper bound of the eigenvalues of m. `low`
 *  is a first guess of where the small eigenvalues end.
 *  Source: Zhou and Li, "Bounding the spectrum of large Hermitian matrices", Linear Algebra Appl. 435
 *  (2011). */
export const lanczosBound = (m: Csr, random: Random): { bound: number; low: number } => {
  const size = m.nRows
  const steps = Math.min(STEPS, size)
  const tridiagonal = Matrix.zeros(steps, steps)
  let previous: Float64Array = new Float64Array(size)
  let current = unit(previous.map(() => random.float() - 0.5))
  let beta = 0
  let done = 0
  while (done < steps) {
    const next = spmv(m, current)
    const alpha = dot(next, current)
    tridiagonal.set(done, done, alpha)
    for (let i = 0; i < size; i++) next[i] -= alpha * current[i] + beta * previous[i]
    done++
    beta = Math.sqrt(dot(next, next))
    if (done === steps || beta < 1e-14 * Math.abs(alpha)) break
    tridiagonal.set(done, done - 1, beta)
    tridiagonal.set(done - 1, done, beta)
    previous = current
    current = unit(next)
  }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    tridiagonal.subMatrix(0, done - 1, 0, done - 1),
    { assumeSymmetric: true },
  )
  const top = realEigenvalues.indexOf(Math.max(...realEigenvalues))
  const bound = realEigenvalues[top] + beta * Math.abs(eigenvectorMatrix.get(done - 1, top))
  const sorted = realEigenvalues.toSorted((a, b) => a - b)
  return { bound, low: sorted[Math.min(1, done - 1)] }
}

const dot = (a: Float64Array, b: Float64Array): number => {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

const unit = (x: Float64Array): Float64Array => {
  const norm = Math.sqrt(dot(x, x))
  return x.map((value) => value / norm)
}
