import type { GpuEngine } from '../backends/gpu/engine.ts'
import type { GpuKernel, GpuLaunch } from '../backends/gpu/kernel.ts'

/** The launchers of a family of gpu kernels, one per operation. */
export function launchEach<Op extends string>(
  engine: GpuEngine,
  ops: readonly Op[],
  define: (op: Op) => GpuKernel,
): Record<Op, GpuLaunch> {
  return Object.fromEntries(ops.map((op) => [op, engine.kernel(define(op))])) as Record<Op, GpuLaunch>
}
