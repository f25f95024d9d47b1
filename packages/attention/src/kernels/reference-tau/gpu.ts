import { foldGpu, type GpuEngine, type GpuKernel, isNanText } from '@tau/tensor/kernel'
import type { ReferenceTauKernel } from './reference-tau.ts'

/** Median by rank. Equal elements are ranked by index. It takes O(D²) comparisons but writes nothing in
 *  between. */
const MEDIAN: GpuKernel = {
  name: 'medianTau',
  args: { x: 'buffer', cols: 'int', low: 'int', high: 'int', least: 'float' },
  body: `
    let below = 0.0
    let above = 0.0
    for (let i = 0; i < cols; i++) {
      const value = x[this.thread.x * cols + (i | 0)]
      let rank = 0.0
      for (let j = 0; j < cols; j++) {
        const other = x[this.thread.x * cols + (j | 0)]
        if (other < value || (other === value && j < i)) { rank += 1.0 }
      }
      if (${isNanText('value')}) { return value }
      if (rank === low) { below = value }
      if (rank === high) { above = value }
    }
    // A shader compiler may compute 0.5 * (below + above), which can overflow. Equal numbers need no sum.
    let middle = below
    if (below < above) { middle = 0.5 * below + 0.5 * above }
    if (middle < least) { return least }
    return middle`,
}

const MEAN: GpuKernel = {
  name: 'meanTau',
  args: { sum: 'buffer', cols: 'int', least: 'float' },
  body: `
    const middle = sum[this.thread.x] / cols
    if (middle < least) { return least }
    return middle`,
}

export function referenceTauGpu(engine: GpuEngine): ReferenceTauKernel {
  const median = engine.kernel(MEDIAN)
  const mean = engine.kernel(MEAN)
  const sumRows = foldGpu(engine, {
    name: 'tauSum',
    op: 'sum',
    args: { x: 'buffer' },
    term: (at) => `x[${at}]`,
  })
  return (x, out, rows, cols, middle, floor) => {
    if (middle === 'median')
      return median([x, cols, Math.floor((cols - 1) / 2), Math.floor(cols / 2), floor], [rows], out)
    using total = engine.scratch(rows)
    sumRows([x], total.handle, rows, cols, 1)
    mean([total.handle, cols, floor], [rows], out)
  }
}
