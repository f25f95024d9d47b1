import type { WgslKernel } from '../../backends/gpu/wgsl.ts'
import { type Finish, finishBuffers, finishText } from './wgsl-tile.ts'

export const PART_THREADS = 64

/** C as the sum of products over parts of k; one thread per element. */
export const sumOfParts = (finish: Finish): WgslKernel => ({
  name: ['matmul_parts', ...(finish.accumulate ? ['accumulate'] : []), finish.epilogue ?? []]
    .flat()
    .join('_'),
  uniforms: { length: 'u32', parts: 'u32' },
  buffers: { products: { access: 'read' }, ...finishBuffers(finish, false) },
  code: `
@compute @workgroup_size(${PART_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let i = id.x + id.y * groups.x * ${PART_THREADS}u;
  if (i >= params.length) { return; }
  var sum = 0.0;
  for (var part = 0u; part < params.parts; part++) { sum += products[part * params.length + i]; }
  ${finishText(finish, false, 'sum', 'i')}
}`,
})
