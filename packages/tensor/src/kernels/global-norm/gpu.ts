import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { isNanText } from '../../backends/gpu/text.ts'
import { foldGpu } from '../reduce/gpu-fold.ts'
import type { GlobalNormKernel } from './global-norm.ts'

const LARGER: GpuKernel = {
  name: 'larger',
  args: { a: 'buffer', b: 'buffer' },
  body: `
    if (b[0] > a[0] || ${isNanText('b[0]')}) { return b[0] }
    return a[0]`,
}

const ADD: GpuKernel = {
  name: 'addEnergy',
  args: { a: 'buffer', b: 'buffer' },
  body: 'return a[0] + b[0]',
}

const NORM: GpuKernel = {
  name: 'globalNorm',
  args: { peak: 'buffer', energy: 'buffer' },
  body: `
    if (peak[0] > 0 && peak[0] <= 3.4028234e38) { return peak[0] * Math.sqrt(energy[0]) }
    return peak[0]`,
}

/** peak · √Σ (x / peak)². The division is needed because squares of f32 numbers overflow above 1.8e19 and
 *  vanish below 1e-23. */
export function globalNormGpu(engine: GpuEngine): GlobalNormKernel {
  const largest = foldGpu(engine, {
    name: 'largestMagnitude',
    op: 'max',
    args: { x: 'buffer' },
    term: (at) => `Math.abs(x[${at}])`,
  })
  const energyOf = foldGpu(engine, {
    name: 'scaledEnergy',
    op: 'sum',
    args: { x: 'buffer', peak: 'buffer' },
    // for a zero tensor this divides by 0, but NORM does not use the result
    term: (at) => `(x[${at}] / peak[0]) * (x[${at}] / peak[0])`,
  })
  const larger = engine.kernel(LARGER)
  const add = engine.kernel(ADD)
  const norm = engine.kernel(NORM)
  return (buffers, out) => {
    using peak = engine.scratch(1)
    using energy = engine.scratch(1)
    using one = engine.scratch(1)
    const filled = buffers.filter(({ length }) => length > 0)
    for (const { handle, length } of filled) {
      largest([handle], one.handle, 1, length, 1)
      larger([peak.handle, one.handle], [1], peak.handle)
    }
    for (const { handle, length } of filled) {
      energyOf([handle, peak.handle], one.handle, 1, length, 1)
      add([energy.handle, one.handle], [1], energy.handle)
    }
    norm([peak.handle, energy.handle], [1], out)
  }
}
