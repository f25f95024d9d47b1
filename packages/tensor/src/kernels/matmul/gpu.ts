import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { accumulateGpu } from '../accumulate/gpu.ts'
import { launchEach } from '../launch-each.ts'
import { reluSquaredGpu } from '../relu-squared/gpu.ts'
import { composedEpilogue } from './epilogue.ts'
import type { Layout } from './layout.ts'
import type { MatmulKernel } from './matmul.ts'

const LAYOUTS = ['nn', 'nt', 'tn'] as const satisfies readonly Layout[]
/** Products are summed in blocks, so rounding errors grow with k / BLOCK + BLOCK instead of k. */
const BLOCK = 64

function product(layout: Layout, accumulate: boolean): GpuKernel {
  const a = (at: string) => (layout === 'tn' ? `(${at}) * m + this.thread.y` : `this.thread.y * k + ${at}`)
  const b = (at: string) => (layout === 'nt' ? `this.thread.x * k + ${at}` : `(${at}) * n + this.thread.x`)
  const term = (at: string) => `a[this.thread.z * strideA + ${a(at)}] * b[this.thread.z * strideB + ${b(at)}]`
  return {
    name: accumulate ? `matmul_${layout}_add` : `matmul_${layout}`,
    args: {
      a: 'buffer',
      b: 'buffer',
      m: 'int',
      n: 'int',
      k: 'int',
      blocks: 'int',
      rest: 'int',
      strideA: 'int',
      strideB: 'int',
      ...(accumulate && { out: 'buffer' as const }),
    },
    body: `
      let total = 0.0
      for (let block = 0; block < blocks; block++) {
        let part = 0.0
        for (let i = 0; i < ${BLOCK}; i++) {
          part += ${term(`(block | 0) * ${BLOCK} + (i | 0)`)}
        }
        total += part
      }
      let last = 0.0
      for (let i = 0; i < rest; i++) {
        last += ${term(`blocks * ${BLOCK} + (i | 0)`)}
      }
      return total + last${accumulate ? ' + out[(this.thread.z * m + this.thread.y) * n + this.thread.x]' : ''}`,
  }
}

export function matmulGpu(engine: GpuEngine): MatmulKernel {
  const stores = launchEach(LAYOUTS, (layout) => engine.kernel(product(layout, false)))
  const adds = launchEach(LAYOUTS, (layout) => engine.kernel(product(layout, true)))
  const finish = composedEpilogue(accumulateGpu(engine), reluSquaredGpu(engine))
  return (layout, a, b, out, { batch, m, n, k, strideA, strideB, accumulate, epilogue }) => {
    const args = [a, b, m, n, k, Math.floor(k / BLOCK), k % BLOCK, strideA, strideB]
    if (accumulate) adds[layout]([...args, out], [n, m, batch], out)
    else stores[layout](args, [n, m, batch], out)
    if (epilogue) finish(epilogue, out, batch * m * n)
  }
}
