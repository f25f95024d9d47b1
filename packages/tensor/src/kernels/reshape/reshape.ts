import { record } from '../../autodiff/tape.ts'
import type { DType } from '../../dtype.ts'
import { inferShape, type Shape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkTensor } from '../check.ts'

/** The same elements in another shape, without a copy. One axis may be −1: its size is computed from the
 *  others. */
export function reshape(x: Tensor<'f32'>, shape: Shape): Tensor<'f32'>
export function reshape(x: Tensor<'i32'>, shape: Shape): Tensor<'i32'>
export function reshape(x: Tensor<DType>, shape: Shape): Tensor<DType> {
  checkTensor('reshape', 'x', x)
  const out = x.view(inferShape('reshape', shape, x.size))
  return isFloat(out) ? record('reshape', [x], out, (dOut) => [dOut.view(x.shape)]) : out
}

const isFloat = (tensor: Tensor<DType>): tensor is Tensor<'f32'> => tensor.dtype === 'f32'
