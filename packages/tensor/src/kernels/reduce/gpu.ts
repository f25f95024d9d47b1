import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { foldGpu } from './gpu-fold.ts'
import type { ReduceKernel } from './reduce.ts'

export function reduceGpu(engine: GpuEngine): ReduceKernel {
  const args = { x: 'buffer' } as const
  const term = (at: string) => `x[${at}]`
  const folds = {
    sum: foldGpu(engine, { name: 'sum', op: 'sum', args, term }),
    max: foldGpu(engine, { name: 'max', op: 'max', args, term }),
  }
  return (op, x, out, outer, length, inner) => folds[op]([x], out, outer, length, inner)
}
