import { EXP_WGSL, foldWgsl, IS_NAN_WGSL, type WgslKernel } from '@tau/tensor/kernel'
import type { DecayForm } from '../../attention-gpu.ts'
import { STAT, STATS } from '../stats.ts'
import { ROW_VECTORS, rowField, SIZES, vec4Buffer, weightText } from './wgsl-pairs.ts'

/** The kernels of this file run before the tiles. They write what the tiles read of each key and each
 *  query. */

export const KEY_THREADS = 64
/** Threads of a workgroup. In {@link STATS_KERNEL} a workgroup handles one query. */
export const ROW_THREADS = 64

/** One vector per key and query head: λk, the decay reading in two parts, 0. So the other kernels need no
 *  variant without decay. */
export const keysKernel = (logDecay: DecayForm): WgslKernel => ({
  name: `lambdaKeys_${logDecay}`,
  uniforms: { ...SIZES, decayBatch: 'u32', length: 'u32' },
  buffers: {
    lambdaK: { access: 'read' },
    ...(logDecay !== 'none' && { logDecay: { access: 'read' } }),
    ...(logDecay === 'pair' && { decayLow: { access: 'read' } }),
    keys: vec4Buffer('write'),
  },
  code: `
@compute @workgroup_size(${KEY_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let i = id.x + id.y * groups.x * ${KEY_THREADS}u;
  if (i >= params.length) { return; }
  let head = i / params.keys;
  let key = i % params.keys;
  let reading = (head / params.heads) * params.decayBatch + (head % params.heads) * params.capacity + key;
  keys[i] = vec4<f32>(
    lambdaK[(head / params.group) * params.capacity + key],
    ${logDecay === 'none' ? '0.0' : 'logDecay[reading]'},
    ${logDecay === 'pair' ? 'decayLow[reading]' : '0.0'},
    0.0,
  );
}`,
})

const overQueries = (body: string) => `
${IS_NAN_WGSL}
${EXP_WGSL}
${foldWgsl(ROW_THREADS)}
@compute @workgroup_size(${ROW_THREADS})
fn main(
  @builtin(local_invocation_index) thread : u32,
  @builtin(workgroup_id) id : vec3<u32>,
) {
  let query = id.x;
  let head = id.y;
  let row = head * params.queries + query;
  ${body}
}`

/** Declares `top_key` and row_0 … row_2, the vectors of a query, from `lambda` and `head_temperature`. They
 *  hold all that the query's weights need. The share is 1 for now. */
export const TOP_KEY = `let top_key = keys[first + top];
  // The other λ with the top key's gap. Knuth's TwoSum gives its rounding error exactly.
  let twice = 2.0 * lambda;
  let mirror = twice - top_key.x;
  let back = mirror - twice;
  let low = (twice - (mirror - back)) - (top_key.x + back);
  let is_above = top_key.x > lambda;
  let row_0 = select(vec4<f32>(mirror, low, top_key.x, 0.0), vec4<f32>(top_key.x, 0.0, mirror, low), is_above);
  let row_1 = vec4<f32>(top_key.y, top_key.z, 1.0, 0.0);
  let row_2 = vec4<f32>(f32(top), lambda, head_temperature, 0.0);`

/** Stores the stats and the vectors of a query. It needs `others` and `moments`, the sums over all keys but
 *  the top one. */
export const STORE_STATS = `// The top key's weight is 1 or NaN. No score counts as larger than NaN. So if all scores are NaN, the last key
  // is the top key.
  let known = (lambda - top_key.x) / head_temperature + top_key.y;
  let share = select(1.0 / (1.0 + others), known, is_nan(known));
  let mean = moments * share;
  let at = row * ${STATS}u;
  stats[at + ${STAT.upper}u] = row_0.x;
  stats[at + ${STAT.upperLow}u] = row_0.y;
  stats[at + ${STAT.lower}u] = row_0.z;
  stats[at + ${STAT.lowerLow}u] = row_0.w;
  stats[at + ${STAT.logDecay}u] = row_1.x;
  stats[at + ${STAT.decayLow}u] = row_1.y;
  stats[at + ${STAT.mass}u] = share;
  stats[at + ${STAT.mean}u] = mean;
  stats[at + ${STAT.top}u] = f32(top);
  let to = row * ${ROW_VECTORS}u;
  rows[to] = row_0;
  rows[to + 1u] = vec4<f32>(row_1.xy, share, mean);
  rows[to + 2u] = vec4<f32>(row_2.xyz, others * share);
  rows[to + 3u] = vec4<f32>(select(0.0, 1.0, share > 0.5), 0.0, 0.0, 0.0);`

/** Finds the top key of each query. Writes all its stats and the vectors of its row. */
export const STATS_KERNEL: WgslKernel = {
  name: 'lambdaStats',
  uniforms: SIZES,
  buffers: {
    lambdaQ: { access: 'read' },
    temperature: { access: 'read' },
    keys: vec4Buffer('read'),
    stats: { access: 'write' },
    rows: vec4Buffer('write'),
  },
  code: overQueries(`
  let lambda = lambdaQ[row];
  let head_temperature = temperature[head % params.heads];
  let first = head * params.keys;
  let now = query + params.keys - params.queries;
  let reading = keys[first + now];
  var best = -3.4028234e38;
  var best_key = now;
  for (var j = thread; j <= now; j += ${ROW_THREADS}u) {
    let key = keys[first + j];
    let score = ((key.y - reading.y) + (key.z - reading.z)) - abs(lambda - key.x) / head_temperature;
    if (score > best) {
      best = score;
      best_key = j;
    }
  }
  // The earliest key with the largest score.
  let peak = max_of(thread, best);
  let top = u32(-max_of(thread, select(-f32(now), -f32(best_key), best == peak)));
  ${TOP_KEY}
  var part = 0.0;
  var moment = 0.0;
  for (var j = thread; j <= now; j += ${ROW_THREADS}u) {
    let key = keys[first + j];${weightText({ key: 'key.x', logDecay: 'key.y', decayLow: 'key.z', row: rowField, exp: 'exp_of' })}
    if (j != top) {
      part += weight;
      moment += weight * beyond;
    }
  }
  let others = sum_of(thread, part);
  let moments = sum_of(thread, moment);
  if (thread > 0u) { return; }
  ${STORE_STATS}`),
}

/** Writes the stats of the forward pass as vectors again, with the products of dOut. dOut·v_top is summed in
 *  the order of the tiles, so equal values have equal products. */
export const BACKWARD_ROWS: WgslKernel = {
  name: 'lambdaBackwardRows',
  uniforms: SIZES,
  buffers: {
    lambdaQ: { access: 'read' },
    temperature: { access: 'read' },
    v: { access: 'read' },
    stats: { access: 'read' },
    rest: { access: 'read' },
    dOut: { access: 'read' },
    rows: vec4Buffer('write'),
  },
  code: `
@compute @workgroup_size(${ROW_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>) {
  let query = id.x;
  let head = id.y;
  if (query >= params.queries) { return; }
  let row = head * params.queries + query;
  let at = row * ${STATS}u;
  let top = stats[at + ${STAT.top}u];
  let share = stats[at + ${STAT.mass}u];
  let centred = select(0.0, 1.0, share > 0.5);
  let first = row * params.valueDim;
  let first_top = ((head / params.group) * params.capacity + u32(top)) * params.valueDim;
  var centre_product = 0.0;
  var rest_product = 0.0;
  for (var d = 0u; d < params.valueDim; d++) {
    centre_product += dOut[first + d] * v[first_top + d];
    rest_product += dOut[first + d] * rest[first + d];
  }
  let to = row * ${ROW_VECTORS}u;
  rows[to] = vec4<f32>(
    stats[at + ${STAT.upper}u], stats[at + ${STAT.upperLow}u], stats[at + ${STAT.lower}u], stats[at + ${STAT.lowerLow}u],
  );
  rows[to + 1u] = vec4<f32>(stats[at + ${STAT.logDecay}u], stats[at + ${STAT.decayLow}u], share, stats[at + ${STAT.mean}u]);
  rows[to + 2u] = vec4<f32>(top, lambdaQ[row], temperature[head % params.heads], 0.0);
  rows[to + 3u] = vec4<f32>(centred, centred * centre_product, rest_product, 0.0);
}`,
}
