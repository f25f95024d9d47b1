import type { Tensor } from '@tau/tensor'
import type { Handle } from '@tau/tensor/kernel'
import { kernelsOf } from '../table.ts'

/** out[r] = Σ_c a[r, c]·b[r, c]. */
export type RowDotsKernel = (a: Handle, b: Handle, out: Handle, rows: number, cols: number) => void

/** δ_i = dOut_i·out_i [..., T]. The backward pass of softmax attention subtracts it from its products
 *  dOut_i·v_j. The result is not recorded on a tape. */
export function rowDots(a: Tensor, b: Tensor): Tensor {
  const out = a.device.empty(a.shape.slice(0, -1))
  kernelsOf(a.device).rowDots(a.handle, b.handle, out.handle, out.size, a.shape[a.rank - 1])
  return out
}
