import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { type GpuKernel, MAX_DIVIDED } from '../../backends/gpu/kernel.ts'
import type { TransposeKernel } from './transpose.ts'

const MATRIX: GpuKernel = {
  name: 'transposeMatrix',
  args: { x: 'buffer', a: 'int', b: 'int' },
  body: 'return x[(this.thread.z * a + this.thread.x) * b + this.thread.y]',
}

/** Four axes on three axes of threads: either (i of a, inner) share x, or (outer, j of b) share z. */
const INNER: GpuKernel = {
  name: 'transposeInner',
  args: { x: 'buffer', a: 'int', b: 'int', inner: 'int' },
  body: `
    const i = Math.floor((this.thread.x + 0.5) / inner)
    const n = this.thread.x - i * inner
    return x[((this.thread.z * a + (i | 0)) * b + this.thread.y) * inner + (n | 0)]`,
}

const OUTER: GpuKernel = {
  name: 'transposeOuter',
  args: { x: 'buffer', a: 'int', b: 'int', inner: 'int' },
  body: `
    const o = Math.floor((this.thread.z + 0.5) / b)
    const j = this.thread.z - o * b
    return x[(((o | 0) * a + this.thread.y) * b + (j | 0)) * inner + this.thread.x]`,
}

export function transposeGpu(engine: GpuEngine): TransposeKernel {
  const launchMatrix = engine.kernel(MATRIX)
  const launchInner = engine.kernel(INNER)
  const launchOuter = engine.kernel(OUTER)
  return (x, out, outer, a, b, inner) => {
    if (inner === 1) launchMatrix([x, a, b], [a, b, outer], out)
    // The four sizes multiply to less than 2³¹, so a·inner or outer·b is below 2²⁰.
    else if (a * inner <= MAX_DIVIDED) launchInner([x, a, b, inner], [a * inner, b, outer], out)
    else launchOuter([x, a, b, inner], [inner, a, outer * b], out)
  }
}
