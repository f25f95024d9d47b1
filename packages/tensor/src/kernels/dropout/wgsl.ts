import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { linearGroups, type WgslKernel } from '../../backends/gpu/wgsl.ts'
import type { DropoutKernel } from './dropout.ts'

const SIZE = 64

/** One thread per block of philox: four words for four elements. WGSL has no 64-bit product, so its upper
 *  half is computed from products of 16-bit halves. */
const DROPOUT: WgslKernel = {
  name: 'dropoutBlocks',
  uniforms: {
    n: 'u32',
    threshold: 'u32',
    scale: 'f32',
    key0: 'u32',
    key1: 'u32',
    step: 'u32',
    stream: 'u32',
  },
  buffers: { x: { access: 'read' }, out: { access: 'write' } },
  code: `
fn upperHalf(a : u32, b : u32) -> u32 {
  let a0 = a & 0xffffu;
  let a1 = a >> 16u;
  let b0 = b & 0xffffu;
  let b1 = b >> 16u;
  let middle = a1 * b0 + ((a0 * b0) >> 16u);
  let carry = (middle & 0xffffu) + a0 * b1;
  return a1 * b1 + (middle >> 16u) + (carry >> 16u);
}

@compute @workgroup_size(${SIZE})
fn main(@builtin(global_invocation_id) id : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let block = id.x + id.y * groups.x * ${SIZE}u;
  if (block * 4u >= params.n) { return; }
  var c = vec4<u32>(block, params.step, params.stream, 1u);
  var k0 = params.key0;
  var k1 = params.key1;
  for (var round = 0u; round < 10u; round++) {
    c = vec4<u32>(
      upperHalf(0xcd9e8d57u, c.z) ^ c.y ^ k0,
      0xcd9e8d57u * c.z,
      upperHalf(0xd2511f53u, c.x) ^ c.w ^ k1,
      0xd2511f53u * c.x);
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  for (var lane = 0u; lane < 4u; lane++) {
    let i = block * 4u + lane;
    if (i < params.n) { out[i] = select(0.0, x[i] * params.scale, c[lane] >= params.threshold); }
  }
}`,
}

export function dropoutWgsl(engine: GpuEngine): DropoutKernel {
  const launch = engine.wgsl(DROPOUT)
  return (x, out, n, { threshold, scale, key, step, stream }) => {
    if (n === 0) return
    launch([x, out], [n, threshold, scale, ...key, step, stream], linearGroups(Math.ceil(n / 4), SIZE))
  }
}
