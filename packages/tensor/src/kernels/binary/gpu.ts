import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { type GpuKernel, MAX_DIVIDED } from '../../backends/gpu/kernel.ts'
import { launchEach } from '../launch-each.ts'
import { BINARY_OPS, type BinaryKernel, type BinaryOp } from './binary.ts'

const SYMBOLS: Record<BinaryOp, string> = { add: '+', sub: '-', mul: '*', div: '/' }

/** Four loops on three axes of threads: either the inner two or the outer two share an axis, which `n` splits. */
function kernel(op: BinaryOp, split: 'inner' | 'outer'): GpuKernel {
  const [axis, i0, i1, i2, i3] =
    split === 'inner'
      ? ['x', 'this.thread.z', 'this.thread.y', '(major | 0)', '(minor | 0)']
      : ['z', '(major | 0)', '(minor | 0)', 'this.thread.y', 'this.thread.x']
  const index = (operand: string) =>
    [i0, i1, i2, i3].map((at, loop) => `${at} * ${operand}${loop}`).join(' + ')
  const steps = ['a', 'b'].flatMap((operand) =>
    [0, 1, 2, 3].map((loop) => [`${operand}${loop}`, 'int'] as const),
  )
  return {
    name: `${op}${split === 'inner' ? 'Inner' : 'Outer'}`,
    args: { a: 'buffer', b: 'buffer', n: 'int', ...Object.fromEntries(steps) },
    body: `
      const major = Math.floor((this.thread.${axis} + 0.5) / n)
      const minor = this.thread.${axis} - major * n
      return a[${index('a')}] ${SYMBOLS[op]} b[${index('b')}]`,
  }
}

export function binaryGpu(engine: GpuEngine): BinaryKernel {
  const inner = launchEach(BINARY_OPS, (op) => engine.kernel(kernel(op, 'inner')))
  const outer = launchEach(BINARY_OPS, (op) => engine.kernel(kernel(op, 'outer')))
  return (op, a, b, out, { dims: [n0, n1, n2, n3], stepsA, stepsB }) => {
    // Of two axes whose product is below 2³¹ one is below 2²⁰.
    if (n2 * n3 <= MAX_DIVIDED) inner[op]([a, b, n3, ...stepsA, ...stepsB], [n2 * n3, n1, n0], out)
    else outer[op]([a, b, n1, ...stepsA, ...stepsB], [n3, n2, n0 * n1], out)
  }
}
