import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import type { CumsumKernel } from './cumsum.ts'

/** One round of a prefix sum: every element adds the element `shift` places before it (in reverse: after it).
 *  After rounds with shifts of 1, 2, 4 … rows, each element holds its running sum, added up as a balanced
 *  tree.
 *  Source: Hillis and Steele, Data Parallel Algorithms (1986). */
const round = (name: string, condition: string, neighbour: string): GpuKernel => ({
  name,
  args: { x: 'buffer', shift: 'int', size: 'int' },
  body: `
    if (${condition}) {
      return x[this.thread.y * size + this.thread.x] + x[this.thread.y * size + this.thread.x ${neighbour}]
    }
    return x[this.thread.y * size + this.thread.x]`,
})
const FORWARD = round('cumsum', 'this.thread.x >= shift', '- shift')
const REVERSE = round('cumsumReverse', 'this.thread.x + shift < size', '+ shift')

export function cumsumGpu(engine: GpuEngine): CumsumKernel {
  const forward = engine.kernel(FORWARD)
  const backward = engine.kernel(REVERSE)
  return (x, out, outer, length, inner, reverse) => {
    const launch = reverse ? backward : forward
    const size = length * inner
    launch([x, inner, size], [size, outer], out)
    for (let rows = 2; rows < length; rows *= 2) launch([out, rows * inner, size], [size, outer], out)
  }
}
