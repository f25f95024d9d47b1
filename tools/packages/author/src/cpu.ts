import { type CpuEngine, ELEMENT_GRAIN, touches } from '@tau/tensor/kernel'
import { cubeWasm, type Table } from './table.js'

export function cpuKernels(engine: CpuEngine): Table {
  const launch = engine.kernel(cubeWasm, 'cube')
  return { cube: (x, out, length) => launch([x, out], length, ELEMENT_GRAIN, touches(2 * length)) }
}
