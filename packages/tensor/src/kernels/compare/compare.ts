import type { DType } from '../../dtype.ts'
import type { Tensor } from '../../tensor.ts'
import { checkOperands, type Operand } from '../binary/operands.ts'
import { type Choice, choose } from './choose.ts'

/** The comparisons with their own choice. `greater` is `less` with exchanged operands. */
export const COMPARE_OPS = ['equal', 'notEqual', 'less', 'lessEqual'] as const
export type CompareOp = (typeof COMPARE_OPS)[number]

const CHOICES: Record<CompareOp, Choice> = {
  equal: [0, 1, 0],
  notEqual: [1, 0, 1],
  less: [1, 0, 0],
  lessEqual: [1, 1, 0],
}

/** A mask of 1 and 0 in f32. The operands are two f32 tensors, two i32 tensors, or one of these and a number;
 *  they are broadcast. Masks work with {@link sum} (count), {@link mean} (share) and {@link where} (choice).
 *  NaN is equal to nothing, and neither less nor greater. A mask is a constant for {@link grad}: no
 *  gradient flows through it, since its derivative is 0 wherever it has one. */
function compare<D extends DType>(name: string, op: CompareOp, a: Operand<D>, b: Operand<D>): Tensor {
  const tensors = [a, b].filter((operand) => typeof operand !== 'number')
  checkOperands(name, [a, b], tensors[0]?.dtype ?? 'f32')
  return choose(name, a, b, CHOICES[op])
}

/** 1 where a = b, else 0. */
export const equal = <D extends DType>(a: Operand<D>, b: Operand<D>): Tensor =>
  compare('equal', 'equal', a, b)
/** 1 where a ≠ b, NaN included, else 0. */
export const notEqual = <D extends DType>(a: Operand<D>, b: Operand<D>): Tensor =>
  compare('notEqual', 'notEqual', a, b)
/** 1 where a < b, else 0. */
export const less = <D extends DType>(a: Operand<D>, b: Operand<D>): Tensor => compare('less', 'less', a, b)
/** 1 where a ≤ b, else 0. */
export const lessEqual = <D extends DType>(a: Operand<D>, b: Operand<D>): Tensor =>
  compare('lessEqual', 'lessEqual', a, b)
/** 1 where a > b, else 0. */
export const greater = <D extends DType>(a: Operand<D>, b: Operand<D>): Tensor =>
  compare('greater', 'less', b, a)
/** 1 where a ≥ b, else 0. */
export const greaterEqual = <D extends DType>(a: Operand<D>, b: Operand<D>): Tensor =>
  compare('greaterEqual', 'lessEqual', b, a)
