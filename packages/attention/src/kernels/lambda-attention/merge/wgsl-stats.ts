import { EXP_WGSL, IS_NAN_WGSL, type WgslKernel } from '@tau/tensor/kernel'
import { rowField, vec4Buffer, weightText } from '../quadratic/wgsl-pairs.ts'
import { STORE_STATS, TOP_KEY } from '../quadratic/wgsl-rows.ts'
import { SLOTS_OF } from './wgsl-chunks.ts'
import { overSeen } from './wgsl-seen.ts'
import { LEVEL_SIZES, PLACE_OF } from './wgsl-text.ts'

/** Threads of a workgroup. Each thread handles one query. */
export const STATS_THREADS = 64

const CONSIDER = `
    let key = keys[first + time];
    let score = ((key.y - reading.y) + (key.z - reading.z)) - abs(lambda - key.x) / head_temperature;
    if (score > best) {
      best = score;
      top = time;
    }`

const WEIGHT = weightText({
  key: 'key.x',
  logDecay: 'key.y',
  decayLow: 'key.z',
  row: rowField,
  exp: 'exp_of',
})

/** Finds the top key of each query. Writes all its stats, the vectors of its row, and places
 *  [B·H, Tq, levels]: the chunk around its λ in each level. */
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
${SLOTS_OF}
@compute @workgroup_size(${STATS_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>) {
  let query = id.x;
  let head = id.y;
  if (query >= params.queries) { return; }
  let row = head * params.queries + query;
  let lambda = lambdaQ[row];
  let head_temperature = temperature[head % params.heads];
  let first = head * params.keys;
  let now = query + params.keys - params.queries;
  let reading = keys[first + now];
  var best = -3.4028234e38;
  var top = now;
  ${overSeen({
    onKey: CONSIDER,
    // Chunks before `place` are not above the query. Chunks after it are above.
    toPlace: `let place = place_of(sorted_at, chunks, lambda, true);
    places[row * params.levels + level] = f32(place);`,
    onState: `let time = u32(mark.x);
        ${CONSIDER}`,
  })}
  ${TOP_KEY}
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
  ${STORE_STATS}
}`,
}
