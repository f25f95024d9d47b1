import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import type { Loops } from '../binary/broadcast.ts'
import { checkOperands, type Operand, overOperands, recordOperands, sumTo } from '../binary/operands.ts'
import { checkDevice, checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** out(i) = a(i) if mask(i) is not 0, else b(i), over four loops; out is contiguous. */
export type WhereKernel = (mask: Handle, a: Handle, b: Handle, out: Handle, loops: Loops) => void

const compute = (mask: Tensor, a: Operand, b: Operand): Tensor =>
  overOperands('where', [mask, a, b], (device, [handleMask, handleA, handleB], out, loops) =>
    kernelsOf(device).where(handleMask, handleA, handleB, out, loops),
  )

/** a where `mask` is not 0, else b; broadcast. Masks are f32, as comparisons make them; NaN counts as not 0.
 *  The operand that is not chosen has no influence, even if it is NaN or infinite, and its gradient is 0. The
 *  mask has no gradient. */
export function where(mask: Tensor, a: Operand, b: Operand): Tensor {
  checkDType('where', 'mask', mask, 'f32')
  checkOperands('where', [a, b], 'f32')
  for (const operand of [a, b]) if (typeof operand !== 'number') checkDevice('where', mask, operand)
  return recordOperands('where', [a, b], compute(mask, a, b), [
    (dOut) => sumTo(compute(mask, dOut, 0), a),
    (dOut) => sumTo(compute(mask, 0, dOut), b),
  ])
}
