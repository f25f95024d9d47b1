import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { launchEach } from '../launch-each.ts'
import type { Layout, MatmulKernel } from './matmul.ts'

const LAYOUTS = ['nn', 'nt', 'tn'] as const satisfies readonly Layout[]
/** Products are added in blocks, so that rounding grows with k / BLOCK + BLOCK instead of k. */
const BLOCK = 64

function product(layout: Layout): GpuKernel {
  const at = '(block | 0) * depth + (i | 0)'
  const a = layout === 'tn' ? `(${at}) * m + this.thread.y` : `this.thread.y * k + ${at}`
  const b = layout === 'nt' ? `this.thread.x * k + ${at}` : `(${at}) * n + this.thread.x`
  return {
    name: `matmul_${layout}`,
    args: {
      a: 'buffer',
      b: 'buffer',
      m: 'int',
      n: 'int',
      k: 'int',
      depth: 'int',
      blocks: 'int',
      strideA: 'int',
      strideB: 'int',
    },
    body: `
      let total = 0.0
      for (let block = 0; block < blocks; block++) {
        let part = 0.0
        for (let i = 0; i < depth; i++) {
          if (${at} < k) {
            part += a[this.thread.z * strideA + ${a}] * b[this.thread.z * strideB + ${b}]
          }
        }
        total += part
      }
      return total`,
  }
}

export function matmulGpu(engine: GpuEngine): MatmulKernel {
  const launches = launchEach(engine, LAYOUTS, product)
  return (layout, a, b, out, { batch, m, n, k, strideA, strideB }) => {
    const depth = Math.max(1, Math.min(BLOCK, k))
    launches[layout]([a, b, m, n, k, depth, Math.ceil(k / depth), strideA, strideB], [n, m, batch], out)
  }
}
