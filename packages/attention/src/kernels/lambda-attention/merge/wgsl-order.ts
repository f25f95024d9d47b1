import { IS_NAN_WGSL, type WgslKernel } from '@tau/tensor/kernel'

// These kernels put the times of every block into order of λ, in every level: sorted [heads, levels, Tk, 2]
// holds λ and the time. Equal λ are in order of time. The place of a time is the number of times before it,
// so each thread finds the place of its own time. NaN and +∞ count as the largest λ. So do times before the
// first query and past the last one; they come last because they are the latest of the largest.

/** Threads of a workgroup, and the times that it orders at once. It makes three levels, so a block of level 0
 *  has at most a quarter of these times. */
export const ORDER_THREADS = 256
export const ORDER_LEVELS = 3
export const JOIN_THREADS = 64
/** Levels that one launch of {@link JOIN_ORDERS} adds. */
export const JOIN_LEVELS = 3

const WRITE = `
fn write_sorted(at : u32, lambda : f32, time : f32) {
  sorted[2u * at] = lambda;
  sorted[2u * at + 1u] = time;
}`

/** The lowest levels. lambda [heads, Tk − first] belongs to the times from `first` on. */
export const ORDER_BLOCKS: WgslKernel = {
  name: 'lambdaOrderBlocks',
  uniforms: { keys: 'u32', levels: 'u32', block: 'u32', first: 'u32', capacity: 'u32' },
  buffers: { lambda: { access: 'read' }, sorted: { access: 'write' } },
  code: `
const LARGEST = 3.4028234e38;
var<workgroup> near : array<f32, ${ORDER_THREADS}>;
${IS_NAN_WGSL}
${WRITE}
/** Number of times that come before this one, among \`width\` times from \`start\` on. */
fn before(thread : u32, start : u32, width : u32) -> u32 {
  let own = near[thread];
  var count = 0u;
  for (var j = start; j < start + width; j++) {
    if (near[j] < own || (near[j] == own && j < thread)) { count++; }
  }
  return count;
}
@compute @workgroup_size(${ORDER_THREADS})
fn main(@builtin(local_invocation_index) thread : u32, @builtin(workgroup_id) id : vec3<u32>) {
  let start = id.x * ${ORDER_THREADS}u;
  let time = start + thread;
  var own = LARGEST;
  if (time >= params.first && time < params.keys) {
    let given = lambda[id.y * params.capacity + time - params.first];
    own = select(min(given, LARGEST), LARGEST, is_nan(given));
  }
  near[thread] = own;
  workgroupBarrier();
  if (time >= params.keys) { return; }
  var rank = before(thread, thread - thread % params.block, params.block);
  for (var level = 0u; level < min(${ORDER_LEVELS}u, params.levels); level++) {
    let width = params.block << level;
    if (level > 0u) {
      let half = width / 2u;
      rank += before(thread, ((thread / half) ^ 1u) * half, half);
    }
    let block_start = start + thread - thread % width;
    write_sorted((id.y * params.levels + level) * params.keys + block_start + rank, own, f32(time));
  }
}`,
}

/** The `steps` levels above `level`, each computed from the ordered blocks of `level`. A thread searches in
 *  every block of `level` but its own. */
export const JOIN_ORDERS: WgslKernel = {
  name: 'lambdaJoinOrders',
  uniforms: { keys: 'u32', levels: 'u32', block: 'u32', level: 'u32', steps: 'u32' },
  buffers: { sorted: { access: 'update' } },
  code: `
${WRITE}
/** Number of times of a block that come before \`own\`. Equal ones count if they are earlier. */
fn before(start : u32, width : u32, own : f32, is_earlier : bool) -> u32 {
  var low = 0u;
  var high = width;
  while (low < high) {
    let middle = (low + high) / 2u;
    let other = sorted[2u * (start + middle)];
    if (other < own || (is_earlier && other == own)) { low = middle + 1u; } else { high = middle; }
  }
  return low;
}
@compute @workgroup_size(${JOIN_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>) {
  if (id.x >= params.keys) { return; }
  let width = params.block << params.level;
  let block = id.x / width;
  let first = (id.y * params.levels + params.level) * params.keys;
  let own = sorted[2u * (first + id.x)];
  let time = sorted[2u * (first + id.x) + 1u];
  var rank = id.x % width;
  for (var step = 0u; step < params.steps; step++) {
    let sibling = ((block >> step) ^ 1u) << step;
    for (var i = sibling; i < sibling + (1u << step) && i * width < params.keys; i++) {
      rank += before(first + i * width, min(width, params.keys - i * width), own, i < block);
    }
    let start = id.x - id.x % (width << (step + 1u));
    write_sorted(first + (step + 1u) * params.keys + start + rank, own, time);
  }
}`,
}
