import type { Handle } from '../../backends/engine.ts'
import type { DType } from '../../dtype.ts'
import type { Tensor } from '../../tensor.ts'
import type { Loops } from '../binary/broadcast.ts'
import { type Operand, overOperands } from '../binary/operands.ts'
import { kernelsOf } from '../table.ts'

/** The results for a < b, for a = b, and for everything else, NaN included. */
export type Choice = readonly [whenLess: number, whenEqual: number, otherwise: number]

/** out(i) = the number of the choice for a(i) and b(i), over four loops; out is contiguous and f32. */
export type CompareKernel = (
  dtype: DType,
  a: Handle,
  b: Handle,
  out: Handle,
  loops: Loops,
  choice: Choice,
) => void

/** The number of the choice for a and b of one element type, broadcast; no tape records it. */
export const choose = <D extends DType>(op: string, a: Operand<D>, b: Operand<D>, choice: Choice): Tensor =>
  overOperands(op, [a, b], (device, [handleA, handleB], out, loops) =>
    kernelsOf(device).compare(dtypeOf(a, b), handleA, handleB, out, loops, choice),
  )

const dtypeOf = (a: Operand<DType>, b: Operand<DType>): DType => {
  const tensor = typeof a === 'number' ? b : a
  return typeof tensor === 'number' ? 'f32' : tensor.dtype
}
