import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import type { Handle } from '../../backends/engine.ts'
import { ELEMENT_BYTES } from '../../dtype.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { Loops } from './broadcast.ts'

/** The launcher of a kernel f(…operands, out, n1, n2, n3, …steps of each operand, …rest) over elements of four loops. */
export function loopsWasm(
  engine: CpuEngine,
  name: string,
): (operands: readonly Handle[], out: Handle, loops: Loops, ...rest: readonly number[]) => void {
  const launch = engine.kernel(tensorWasm, name)
  return (operands, out, { dims, steps }, ...rest) => {
    const [n0, n1, n2, n3] = dims
    const n = n0 * n1 * n2 * n3
    // An operand has no more elements than the axes along which it moves.
    const sizeOf = (own: readonly number[]) => dims.reduce((size, dim, i) => (own[i] ? size * dim : size), 1)
    launch([...operands, out, n1, n2, n3, ...steps.flat(), ...rest], n, ELEMENT_GRAIN, () => ({
      bytes: ELEMENT_BYTES * steps.reduce((sum, own) => sum + sizeOf(own), n),
    }))
  }
}
