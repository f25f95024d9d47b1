import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { F64_BYTES } from '../../dtype.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { GlobalNormKernel } from './global-norm.ts'

export function globalNormWasm(engine: CpuEngine): GlobalNormKernel {
  const launchSquares = engine.kernel(tensorWasm, 'squareSums')
  const launchRoot = engine.kernel(tensorWasm, 'rootOfSums')
  return (buffers, out) => {
    const chunks = buffers.map(({ length }) => Math.ceil(length / ELEMENT_GRAIN))
    const total = chunks.reduce((sum, n) => sum + n, 0)
    using partials = engine.scratch(total * F64_BYTES)
    let next = partials.handle
    buffers.forEach(({ handle, length }, i) => {
      launchSquares([handle, next, length, ELEMENT_GRAIN], chunks[i], 1, touches(length))
      next += chunks[i] * F64_BYTES
    })
    launchRoot([partials.handle, out, total], 1, 1, touches(2 * total))
  }
}
