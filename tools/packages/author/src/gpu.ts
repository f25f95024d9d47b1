import { type GpuEngine, type GpuKernel, linearGroups, type WgslKernel } from '@tau/tensor/kernel'
import type { Table } from './table.js'

const CUBE: GpuKernel = {
  name: 'cube',
  args: { x: 'buffer' },
  body: 'const v = x[this.thread.x]; return v * v * v',
}

const SIZE = 64
const CUBE_WGSL: WgslKernel = {
  name: 'cubeWgsl',
  uniforms: { count: 'u32' },
  buffers: { x: { access: 'read' }, out: { access: 'write' } },
  code: `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let i = id.x + id.y * groups.x * ${SIZE}u;
  if (i < params.count) { out[i] = x[i] * x[i] * x[i]; }
}`,
}

export function gpuKernels(engine: GpuEngine): Table {
  if (engine.hasWgsl) {
    const launch = engine.wgsl(CUBE_WGSL)
    return { cube: (x, out, length) => launch([x, out], [length], linearGroups(length, SIZE)) }
  }
  const launch = engine.kernel(CUBE)
  return { cube: (x, out, length) => launch([x], [length], out) }
}
