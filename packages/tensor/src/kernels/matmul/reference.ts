import type { Layout } from './layout.ts'
import type { MatmulSizes } from './matmul.ts'

/** The product of each matrix of a batch, in plain f64 loops. The kernels are tested against it. */
export function matmulReference(
  layout: Layout,
  a: Float64Array,
  b: Float64Array,
  sizes: MatmulSizes,
): Float64Array {
  const { batch, m, n, k, strideA, strideB } = sizes
  const out = new Float64Array(batch * m * n)
  for (let z = 0; z < batch; z++)
    for (let i = 0; i < m; i++)
      for (let j = 0; j < n; j++) {
        let sum = 0
        for (let l = 0; l < k; l++) {
          const inA = layout === 'tn' ? l * m + i : i * k + l
          const inB = layout === 'nt' ? j * k + l : l * n + j
          sum += a[z * strideA + inA] * b[z * strideB + inB]
        }
        out[(z * m + i) * n + j] = sum
      }
  return out
}
