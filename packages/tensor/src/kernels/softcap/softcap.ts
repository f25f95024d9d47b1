import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** out[i] = cap · tanh(x[i] / cap). */
export type SoftcapKernel = (x: Handle, out: Handle, cap: number, n: number) => void
/** dX[i] = dOut[i] · (1 − (out[i] / cap)²). */
export type SoftcapGradKernel = (out: Handle, dOut: Handle, dX: Handle, cap: number, n: number) => void

/** cap · tanh(x / cap): close to x near 0, and never beyond ±cap. Source: Gemma 2 report (2024), section
 *  2. */
export function softcap(x: Tensor, cap: number): Tensor {
  checkDType('softcap', 'x', x, 'f32')
  if (!(cap > 0)) throw new RangeError(`softcap: cap must be above 0, got ${cap}`)
  const { device } = x
  const out = device.empty(x.shape)
  kernelsOf(device).softcap(x.handle, out.handle, cap, x.size)
  return record('softcap', [x], out, (dOut) => {
    const dX = device.empty(x.shape)
    kernelsOf(device).softcapGrad(out.handle, dOut.handle, dX.handle, cap, x.size)
    return [dX]
  })
}
