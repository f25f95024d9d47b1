import { EXP_WGSL, IS_NAN_WGSL, type WgslKernel } from '@tau/tensor'
import { STAT, STATS } from '../lambda-attention/stats.ts'
import { ROW_VECTORS, rowField, vec4Buffer, weightText } from '../lambda-attention/wgsl-pairs.ts'
import { overSeen } from './wgsl-seen.ts'
import { LEVEL_SIZES, PLACE_OF } from './wgsl-text.ts'

/** A thread has a query to itself. */
export const STATS_THREADS = 64

const CONSIDER = `
    let key = keys[first + time];
    let score = ((key.y - reading.y) + (key.z - reading.z)) - abs(lambda - key.x) / heat;
    if (score > best) {
      best = score;
      top = time;
    }`

const WEIGHT = weightText({ key: 'key.x', clock: 'key.y', clockLow: 'key.z', row: rowField, exp: 'exp_of' })

/** The top key, all stats and the query's vectors; places [B·H, Tq, levels]: the chunk about its λ in each level. */
export const MERGED_STATS: WgslKernel = {
  name: 'lambdaMergedStats',
  uniforms: LEVEL_SIZES,
  buffers: {
    lambdaQ: { access: 'read' },
    temperature: { access: 'read' },
    keys: vec4Buffer('read'),
    sorted: { access: 'read' },
    states: vec4Buffer('read'),
    stats: { access: 'write' },
    rows: vec4Buffer('write'),
    places: { access: 'write' },
  },
  code: `
${IS_NAN_WGSL}
${EXP_WGSL}
${PLACE_OF}
@compute @workgroup_size(${STATS_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>) {
  let query = id.x;
  let head = id.y;
  if (query >= params.queries) { return; }
  let row = head * params.queries + query;
  let lambda = lambdaQ[row];
  let heat = temperature[head % params.heads];
  let first = head * params.keys;
  let now = query + params.keys - params.queries;
  let reading = keys[first + now];
  var best = -3.4028234e38;
  var top = now;
  ${overSeen({
    onKey: CONSIDER,
    // The chunks before it are below the query, or equal it, and those after it above.
    toPlace: `let place = place_of(sorted_at, chunks, lambda, true);
    places[row * params.levels + level] = f32(place);`,
    onState: `let time = u32(mark.x);
        ${CONSIDER}`,
  })}
  let top_key = keys[first + top];
  // The other λ with the top key's gap. What rounding leaves of it is exact, by Knuth's TwoSum.
  let twice = 2.0 * lambda;
  let mirror = twice - top_key.x;
  let back = mirror - twice;
  let low = (twice - (mirror - back)) - (top_key.x + back);
  let is_above = top_key.x > lambda;
  let row_0 = select(vec4<f32>(mirror, low, top_key.x, 0.0), vec4<f32>(top_key.x, 0.0, mirror, low), is_above);
  let row_1 = vec4<f32>(top_key.y, top_key.z, 1.0, 0.0);
  let row_2 = vec4<f32>(f32(top), lambda, heat, 0.0);
  var others = 0.0;
  var moments = 0.0;
  ${overSeen({
    onKey: `let key = keys[first + time];${WEIGHT}
    if (time != top) {
      others += weight;
      moments += weight * beyond;
    }`,
    toPlace: 'let place = u32(places[row * params.levels + level]);',
    onState: `let time = u32(mark.x);
        let key = keys[first + time];${WEIGHT}
        let mass = mark.y + select(1.0, 0.0, time == top);
        others += weight * mass;
        moments += weight * (mark.z + mass * beyond);`,
  })}
  // The top key's weight is 1, or NaN: nothing is larger than NaN, so a row of it alone has its last key on top.
  let known = (lambda - top_key.x) / heat + top_key.y;
  let share = select(1.0 / (1.0 + others), known, is_nan(known));
  let mean = moments * share;
  let at = row * ${STATS}u;
  stats[at + ${STAT.upper}u] = row_0.x;
  stats[at + ${STAT.upperLow}u] = row_0.y;
  stats[at + ${STAT.lower}u] = row_0.z;
  stats[at + ${STAT.lowerLow}u] = row_0.w;
  stats[at + ${STAT.clock}u] = row_1.x;
  stats[at + ${STAT.clockLow}u] = row_1.y;
  stats[at + ${STAT.mass}u] = share;
  stats[at + ${STAT.mean}u] = mean;
  stats[at + ${STAT.top}u] = f32(top);
  let to = row * ${ROW_VECTORS}u;
  rows[to] = row_0;
  rows[to + 1u] = vec4<f32>(row_1.xy, share, mean);
  rows[to + 2u] = vec4<f32>(row_2.xyz, others * share);
  rows[to + 3u] = vec4<f32>(select(0.0, 1.0, share > 0.5), 0.0, 0.0, 0.0);
}`,
}
