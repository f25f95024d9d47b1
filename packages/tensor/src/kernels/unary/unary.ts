import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDType } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** Elementwise functions of one argument. */
export const UNARY_OPS = [
  'neg',
  'exp',
  'log',
  'sqrt',
  'square',
  'abs',
  'relu',
  'sigmoid',
  'silu',
  'tanh',
  'softplus',
  'reciprocal',
  'gelu',
  'geluTanh',
] as const
export type UnaryOp = (typeof UNARY_OPS)[number]

/** out[i] = op(x[i]) for i < n. */
export type UnaryKernel = (op: UnaryOp, x: Handle, out: Handle, n: number) => void
/** dX[i] = dOut[i] · op′(x[i]) for i < n. y = op(x) is given because some derivatives are cheaper from y. */
export type UnaryGradKernel = (op: UnaryOp, x: Handle, y: Handle, dOut: Handle, dX: Handle, n: number) => void

function unary(op: UnaryOp, x: Tensor): Tensor {
  checkDType(op, 'x', x, 'f32')
  const { device } = x
  const out = device.empty(x.shape)
  kernelsOf(device).unary(op, x.handle, out.handle, x.size)
  return record(op, [x], out, (dOut) => {
    const dX = device.empty(x.shape)
    kernelsOf(device).unaryGrad(op, x.handle, out.handle, dOut.handle, dX.handle, x.size)
    return [dX]
  })
}

/** −x */
export const neg = (x: Tensor): Tensor => unary('neg', x)
/** eˣ */
export const exp = (x: Tensor): Tensor => unary('exp', x)
/** Natural logarithm; −∞ at 0, NaN for negative x. */
export const log = (x: Tensor): Tensor => unary('log', x)
/** √x; NaN for negative x, gradient ∞ at 0. */
export const sqrt = (x: Tensor): Tensor => unary('sqrt', x)
/** x² */
export const square = (x: Tensor): Tensor => unary('square', x)
/** |x|; gradient 0 at the kink. */
export const abs = (x: Tensor): Tensor => unary('abs', x)
/** max(x, 0); gradient 0 at the kink. */
export const relu = (x: Tensor): Tensor => unary('relu', x)
/** 1 / (1 + e⁻ˣ) */
export const sigmoid = (x: Tensor): Tensor => unary('sigmoid', x)
/** x · sigmoid(x) */
export const silu = (x: Tensor): Tensor => unary('silu', x)
/** Hyperbolic tangent. */
export const tanh = (x: Tensor): Tensor => unary('tanh', x)
/** log(1 + eˣ), computed as max(x, 0) + log(1 + e^{−|x|}); softplus(−x) = −log sigmoid(x). */
export const softplus = (x: Tensor): Tensor => unary('softplus', x)
/** 1 / x */
export const reciprocal = (x: Tensor): Tensor => unary('reciprocal', x)
/** x·Φ(x) with the normal distribution function Φ(x) = (1 + erf(x/√2)) / 2. NaN at −∞.
 *  `'tanh'` approximates Φ by (1 + tanh √(2/π)(x + 0.044715·x³)) / 2. This differs by up to 5e-4 and costs
 *  about as much. PyTorch's default is the exact form, as here; JAX and GPT-2 use `'tanh'`.
 *  Source: Hendrycks and Gimpel, Gaussian Error Linear Units (2016). */
export const gelu = (x: Tensor, approximate: 'none' | 'tanh' = 'none'): Tensor =>
  unary(approximate === 'tanh' ? 'geluTanh' : 'gelu', x)
