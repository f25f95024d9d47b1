import type { Handle } from '../../backends/engine.ts'
import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { type GpuArgument, type GpuKernel, MAX_DIVIDED } from '../../backends/gpu/kernel.ts'
import type { Loops } from './broadcast.ts'

export interface LoopKernel {
  readonly name: string
  /** Names of the operands. In the body the element of operand `a` is the variable `va`. */
  readonly operands: readonly string[]
  readonly args?: Readonly<Record<string, GpuArgument>>
  readonly body: string
}

/** The kernel for four loops on three axes of threads. Either the inner two loops or the outer two share an
 *  axis, which `n` splits. */
function definition({ name, operands, args, body }: LoopKernel, split: 'inner' | 'outer'): GpuKernel {
  const [axis, i0, i1, i2, i3] =
    split === 'inner'
      ? ['x', 'this.thread.z', 'this.thread.y', '(major | 0)', '(minor | 0)']
      : ['z', '(major | 0)', '(minor | 0)', 'this.thread.y', 'this.thread.x']
  const index = (operand: string) =>
    [i0, i1, i2, i3].map((at, loop) => `${at} * ${operand}${loop}`).join(' + ')
  const steps = operands.flatMap((operand) =>
    [0, 1, 2, 3].map((loop) => [`${operand}${loop}`, 'int'] as const),
  )
  return {
    name: `${name}${split === 'inner' ? 'Inner' : 'Outer'}`,
    args: {
      ...Object.fromEntries(operands.map((operand) => [operand, 'buffer'] as const)),
      n: 'int',
      ...Object.fromEntries(steps),
      ...args,
    },
    body: `
      const major = Math.floor((this.thread.${axis} + 0.5) / n)
      const minor = this.thread.${axis} - major * n
      ${operands.map((operand) => `const v${operand} = ${operand}[${index(operand)}]`).join('\n')}
      ${body}`,
  }
}

/** The launcher of a gpu.js kernel over elements of four loops. */
export function loopsGpu(
  engine: GpuEngine,
  kernel: LoopKernel,
): (operands: readonly Handle[], out: Handle, loops: Loops, ...rest: readonly number[]) => void {
  const inner = engine.kernel(definition(kernel, 'inner'))
  const outer = engine.kernel(definition(kernel, 'outer'))
  return (operands, out, { dims: [n0, n1, n2, n3], steps }, ...rest) => {
    // n0·n1·n2·n3 is below 2³¹, so n2·n3 or n0·n1 is below 2²⁰.
    if (n2 * n3 <= MAX_DIVIDED) inner([...operands, n3, ...steps.flat(), ...rest], [n2 * n3, n1, n0], out)
    else outer([...operands, n1, ...steps.flat(), ...rest], [n3, n2, n0 * n1], out)
  }
}
