import type { GpuEngine, GpuKernel } from '@tau/tensor/kernel'
import type { RopeKernel } from './rope.ts'

const AT = '(this.thread.z * length + this.thread.y) * dim + this.thread.x'
const TIME = '(this.thread.y + first) * dim + this.thread.x'

const ROPE: GpuKernel = {
  name: 'rope',
  args: {
    x: 'buffer',
    table: 'buffer',
    first: 'int',
    length: 'int',
    dim: 'int',
    half: 'int',
    sign: 'float',
  },
  body: `
    if (this.thread.x < half) {
      return x[${AT}] * table[${TIME}] + sign * x[${AT} + half] * table[${TIME} + half]
    }
    return x[${AT}] * table[${TIME} - half] - sign * x[${AT} - half] * table[${TIME}]`,
}

export function ropeGpu(engine: GpuEngine): RopeKernel {
  const launch = engine.kernel(ROPE)
  return (x, { handle, first }, out, rows, length, dim, sign) =>
    launch(
      [x, handle, first, length, dim, dim / 2, sign],
      [dim, length, Math.floor(rows / Math.max(1, length))],
      out,
    )
}
