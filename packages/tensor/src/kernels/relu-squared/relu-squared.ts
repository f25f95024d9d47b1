import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { kernelsOf } from '../table.ts'

/** out[i] = max(x[i], 0)². */
export type ReluSquaredKernel = (x: Handle, out: Handle, n: number) => void
/** dX[i] = 2·max(x[i], 0)·dOut[i]. */
export type ReluSquaredGradKernel = (x: Handle, dOut: Handle, dX: Handle, n: number) => void

/** relu(x)², the feed-forward activation. Source: So et al., Primer (2021), section 4. */
export function reluSquared(x: Tensor): Tensor {
  const { device } = x
  const out = device.empty(x.shape)
  kernelsOf(device).reluSquared(x.handle, out.handle, x.size)
  return record('reluSquared', [x], out, (dOut) => {
    const dX = device.empty(x.shape)
    kernelsOf(device).reluSquaredGrad(x.handle, dOut.handle, dX.handle, x.size)
    return [dX]
  })
}
