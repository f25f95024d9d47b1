import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** out[i] = max(x[i], 0)². */
export type ReluSquaredKernel = (x: Handle, out: Handle, n: number) => void
/** dX[i] = 2·√out[i]·dOut[i]. This equals 2·max(x[i], 0)·dOut[i], so x need not be kept. */
export type ReluSquaredGradKernel = (out: Handle, dOut: Handle, dX: Handle, n: number) => void

/** relu(x)², the activation of the feed-forward layers. The gradient 2·relu(x) is computed as a root of the
 *  result. So it is 0 if x² underflows, for x below 1e-23.
 *  Source: So et al., Primer (2021), section 4. */
export function reluSquared(x: Tensor): Tensor {
  checkDType('reluSquared', 'x', x, 'f32')
  const { device } = x
  const out = device.empty(x.shape)
  kernelsOf(device).reluSquared(x.handle, out.handle, x.size)
  return record('reluSquared', [x], out, (dOut) => {
    const dX = device.empty(x.shape)
    kernelsOf(device).reluSquaredGrad(out.handle, dOut.handle, dX.handle, x.size)
    return [dX]
  })
}
