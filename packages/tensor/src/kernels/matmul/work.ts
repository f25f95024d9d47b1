import type { Work } from '../../backends/cpu/work.ts'
import { ELEMENT_BYTES } from '../../dtype.ts'
import type { Layout } from './layout.ts'
import type { MatmulSizes } from './matmul.ts'

/** Work of `batch` products [m, k] · [k, n]. A matrix that the batch shares is read once. C is read only if
 *  it is added to. */
export const matmulWork =
  (layout: Layout, { batch, m, n, k, strideA, strideB, accumulate }: MatmulSizes) =>
  (): Work => {
    const a = (strideA === 0 ? 1 : batch) * m * k
    const b = (strideB === 0 ? 1 : batch) * n * k
    const c = (accumulate ? 2 : 1) * batch * m * n
    return {
      flops: 2 * batch * m * n * k,
      bytes: ELEMENT_BYTES * (a + b + c),
      shape: `${layout} ${batch > 1 ? `${batch} of ` : ''}${m} x ${n} x ${k}`,
    }
  }
