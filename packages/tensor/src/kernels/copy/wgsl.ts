import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { linearGroups, type WgslKernel } from '../../backends/gpu/wgsl.ts'
import type { CopyKernel } from './copy.ts'
import { copyGpu } from './gpu.ts'

const SIZE = 64

/** One thread per element of the block. The portable kernel writes the whole target again; for a cache that
 *  is its full capacity for each token. */
const COPY: WgslKernel = {
  name: 'copyBlock',
  uniforms: {
    rows: 'u32',
    cols: 'u32',
    sourceOffset: 'u32',
    sourceStride: 'u32',
    blockOffset: 'u32',
    blockStride: 'u32',
  },
  buffers: { source: { access: 'read' }, block: { access: 'update' } },
  code: `
@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let i = id.x + id.y * groups.x * ${SIZE}u;
  if (i >= params.rows * params.cols) { return; }
  let row = i / params.cols;
  let col = i % params.cols;
  block[params.blockOffset + row * params.blockStride + col] =
    source[params.sourceOffset + row * params.sourceStride + col];
}`,
}

export function copyWgsl(engine: GpuEngine): CopyKernel {
  const launch = engine.wgsl(COPY)
  const portable = copyGpu(engine)
  return (source, target, rows, cols) => {
    if (rows === 0 || cols === 0) return
    // In WebGPU a kernel cannot write a buffer that it also reads through another binding.
    if (source.handle === target.handle) {
      portable(source, target, rows, cols)
      return
    }
    launch(
      [source.handle, target.handle],
      [rows, cols, source.offset, source.stride, target.offset, target.stride],
      linearGroups(rows * cols, SIZE),
    )
  }
}
