import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { isNanText, log1pText, logText, tanhText } from '../../backends/gpu/text.ts'
import { launchEach } from '../launch-each.ts'
import { UNARY_OPS, type UnaryGradKernel, type UnaryKernel, type UnaryOp } from './unary.ts'

// Makes s = sigmoid v. e^{−|v|} never overflows. For v < 0 it is small / (1 + small), which loses no digits.
const sigmoidText = (v: string): string => `
    const small = Math.exp(-Math.abs(${v}))
    let s = 1 / (1 + small)
    if (${v} < 0) { s = small / (1 + small) }`
const SIGMOID = sigmoidText('v')

// Makes s, the tanh approximation of the normal distribution function at v. Beyond ±30 it is 0 or 1.
const GATE_SLOPE = 1.5957691216
const GATE_CUBIC = 0.0713548162726
const TANH_GATE = `
    const b = Math.min(Math.max(v, -30), 30)
    const u = b * (${GATE_SLOPE} + ${GATE_CUBIC} * b * b)
    ${sigmoidText('u')}`

// Makes cdf, the normal distribution function at v, and gaussian = e^{−v²/2}. The method is that of
// normalCdf4 in assembly/math.ts.
const TAIL = [
  -0.0716559033, 0.2835865427, -0.3302490864, 0.3493959406, -0.0939215805, 0.124871117, 0.0691926034,
  0.0850687933, 0.0837115797,
]
const NORMAL_CDF = `
    const t = Math.min(Math.abs(v), 40)
    const part = 1 / (1 + 0.21 * t)
    const gaussian = Math.exp(-0.5 * t * t)
    let cdf = gaussian * part * ${TAIL.map((c) => `(${c})`).reduce((sum, c) => `(${sum} * part + ${c})`)}
    if (v >= 0) { cdf = 1 - cdf }`

// NaN is handled before these run, because a GPU's functions turn NaN into numbers and its max(NaN, 0) is 0.

/** Ends with the value for v, which is not NaN. */
const VALUES: Record<UnaryOp, string> = {
  neg: 'return -v',
  exp: 'return Math.exp(v)',
  log: `${logText('result', 'v')}
    return result`,
  sqrt: 'return Math.sqrt(v)',
  square: 'return v * v',
  abs: 'return Math.abs(v)',
  relu: `
    if (v < 0) { return 0 }
    return v`,
  sigmoid: `${SIGMOID}
    return s`,
  silu: `${SIGMOID}
    return v * s`,
  tanh: `${tanhText('result', 'v')}
    return result`,
  softplus: `
    const small = Math.exp(-Math.abs(v))
    ${log1pText('beyond', 'small')}
    if (v < 0) { return beyond }
    return v + beyond`,
  reciprocal: 'return 1 / v',
  gelu: `${NORMAL_CDF}
    return v * cdf`,
  geluTanh: `${TANH_GATE}
    return v * s`,
}

/** Ends with the gradient for input v, output r and incoming gradient d. */
const GRADS: Record<UnaryOp, string> = {
  neg: 'return -d',
  exp: 'return d * r',
  log: 'return d / v',
  sqrt: 'return d / (2 * r)',
  square: 'return 2 * v * d',
  abs: `
    if (v > 0) { return d }
    if (v < 0) { return -d }
    return 0`,
  relu: `
    if (v > 0) { return d }
    return 0`,
  sigmoid: 'return d * r * (1 - r)',
  silu: `${SIGMOID}
    return d * (s + r * (1 - s))`,
  tanh: 'return d * (1 - r * r)',
  softplus: `${SIGMOID}
    return d * s`,
  reciprocal: 'return -d * r * r',
  gelu: `${NORMAL_CDF}
    return d * (cdf + v * 0.3989422804 * gaussian)`,
  geluTanh: `${TANH_GATE}
    return d * (s + b * s * (1 - s) * (${GATE_SLOPE} + ${3 * GATE_CUBIC} * b * b))`,
}

const value = (op: UnaryOp): GpuKernel => ({
  name: op,
  args: { x: 'buffer' },
  body: `
    const v = x[this.thread.x]
    if (${isNanText('v')}) { return v }
    ${VALUES[op]}`,
})

const gradient = (op: UnaryOp): GpuKernel => ({
  name: `${op}Grad`,
  args: { x: 'buffer', y: 'buffer', dOut: 'buffer' },
  body: `
    const v = x[this.thread.x]
    const r = y[this.thread.x]
    const d = dOut[this.thread.x]
    ${GRADS[op]}`,
})

export function unaryGpu(engine: GpuEngine): UnaryKernel {
  const launches = launchEach(UNARY_OPS, (op) => engine.kernel(value(op)))
  return (op, x, out, n) => launches[op]([x], [n], out)
}

export function unaryGradGpu(engine: GpuEngine): UnaryGradKernel {
  const launches = launchEach(UNARY_OPS, (op) => engine.kernel(gradient(op)))
  return (op, x, y, dOut, dX, n) => launches[op]([x, y, dOut], [n], dX)
}
