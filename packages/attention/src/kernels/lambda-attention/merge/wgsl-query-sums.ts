import { EXP_WGSL, IS_NAN_WGSL, type WgslKernel } from '@tau/tensor/kernel'
import { ROW_VECTORS, readVector, rowField, vec4Buffer, vectorBuffer } from '../quadratic/wgsl-pairs.ts'
import { CHUNK } from './levels.ts'
import { overChunks, overPairs } from './wgsl-chunks.ts'
import { channels, eachVector, LEVEL_SIZES, QUADS, stateVectors, zeros } from './wgsl-text.ts'

// States over queries. In the backward pass the keys of a block read those of the later block beside it. A
// state holds Σ_i p_i dOut_i. Its mark holds the leader and Σ_i p_i e_i, with e_i = dOut_i·out_i. Side 1 is
// for keys below all queries of the state, side 0 for keys above them. The leader is the query with the
// largest weight before division by its mass. All weights are relative to the leader's. states
// [B·H, slots, 2, channels + mark].

/** WGSL function: the logarithm of query a's weight minus that of query b's, before they are divided by their
 *  masses. Both queries are given by the vectors of their rows. */
const AHEAD = `
fn ahead_of(side : u32, a_0 : vec4<f32>, a_1 : vec4<f32>, b_0 : vec4<f32>, b_1 : vec4<f32>, temperature : f32) -> f32 {
  let gap = select((b_0.x - a_0.x) + (b_0.y - a_0.y), (a_0.z - b_0.z) + (a_0.w - b_0.w), side == 1u);
  return -(gap / temperature) - ((a_1.x - b_1.x) + (a_1.y - b_1.y));
}`

const SIDES = ['below', 'above'] as const

/** The state of each chunk by itself. One thread handles some channels of both sides. */
export const queryChunksKernel = (wide: boolean): WgslKernel => ({
  name: `lambdaQueryChunks_${wide ? 4 : 1}`,
  uniforms: { ...LEVEL_SIZES, length: 'u32' },
  buffers: {
    dOut: vectorBuffer('read', wide),
    rows: vec4Buffer('read'),
    sorted: { access: 'read' },
    states: vec4Buffer('write'),
    marks: vec4Buffer('write'),
  },
  code: `
${IS_NAN_WGSL}
${EXP_WGSL}
${AHEAD}
${readVector('dOut', wide)}
${overChunks(`let start = (2u * pair + 1u) * width;
  let end = min(${CHUNK}u, max(min(width, params.keys - start), skipped) - skipped);
  let at = (head * params.levels + level) * params.keys + start + skipped;
  let offset = params.keys - params.queries;
  let first = head * params.queries;
  ${SIDES.map((side) => `var ${side}_mark = vec4<f32>(-1.0, 0.0, 0.0, 0.0);\n  var ${side}_0 = vec4<f32>();\n  var ${side}_1 = vec4<f32>();`).join('\n  ')}
  for (var n = 0u; n < end; n++) {
    let time = u32(sorted[2u * (at + n) + 1u]);
    if (time < offset) { continue; }
    let row_at = (first + time - offset) * ${ROW_VECTORS}u;
    let row_0 = rows[row_at];
    let row_1 = rows[row_at + 1u];
    let temperature = rows[row_at + 2u].z;
    ${SIDES.map(
      (
        side,
        i,
      ) => `if (${side}_mark.x < 0.0 || ahead_of(${i}u, row_0, row_1, ${side}_0, ${side}_1, temperature) > 0.0) {
      ${side}_mark.x = f32(time);
      ${side}_0 = row_0;
      ${side}_1 = row_1;
    }`,
    ).join('\n    ')}
  }
  ${zeros('below_sum', 'above_sum')}
  for (var n = 0u; n < end; n++) {
    let time = u32(sorted[2u * (at + n) + 1u]);
    if (time < offset) { continue; }
    let row_at = (first + time - offset) * ${ROW_VECTORS}u;
    let row_0 = rows[row_at];
    let row_1 = rows[row_at + 1u];
    let row_2 = rows[row_at + 2u];
    let row_3 = rows[row_at + 3u];
    let product = ${rowField('centreProduct')} + ${rowField('restProduct')};
    ${SIDES.map(
      (
        side,
        i,
      ) => `let ${side} = exp_of(ahead_of(${i}u, row_0, row_1, ${side}_0, ${side}_1, ${rowField('temperature')})) * ${rowField('share')};
    ${side}_mark.y += ${side} * product;`,
    ).join('\n    ')}
    ${eachVector(
      (i) => `let given_${i} = ${channels('dOut', 'first + time - offset', i)};
        below_sum_${i} += below * given_${i};
        above_sum_${i} += above * given_${i};`,
    )}
  }
  let below_at = 2u * place * ${stateVectors(false)} + 4u * lane;
  let above_at = below_at + ${stateVectors(false)};
  ${eachVector((i) => `states[below_at + ${i}u] = below_sum_${i};\n  states[above_at + ${i}u] = above_sum_${i};`)}
  if (lane == 0u) {
    marks[2u * place] = below_mark;
    marks[2u * place + 1u] = above_mark;
  }`)}`,
})

/** Replaces the state of each chunk by the state of all chunks before it (side 0) or after it (side 1): a
 *  prefix sum. One thread handles four channels of one side and walks over the chunks of a block. */
export const QUERY_SCAN: WgslKernel = {
  name: 'lambdaQueryScan',
  uniforms: LEVEL_SIZES,
  buffers: { rows: vec4Buffer('read'), marks: vec4Buffer('read'), states: vec4Buffer('update') },
  code: `
${IS_NAN_WGSL}
${EXP_WGSL}
${AHEAD}
${overPairs(`let first = head * params.queries;
  let offset = params.keys - params.queries;
  var leader_0 = vec4<f32>();
  var leader_1 = vec4<f32>();
  var sum = vec4<f32>();
  var mark = vec4<f32>(-1.0, 0.0, 0.0, 0.0);
  for (var n = 0u; n < chunks; n++) {
    let place = 2u * (first_chunk + select(n, chunks - 1u - n, side == 1u)) + side;
    let at = place * ${stateVectors(false)};
    let next = states[at + quad];
    let next_mark = marks[place];
    states[at + quad] = sum;
    if (quad == 0u) { states[at + ${QUADS}] = mark; }
    if (next_mark.x < 0.0) { continue; }
    let row_at = (first + u32(next_mark.x) - offset) * ${ROW_VECTORS}u;
    let row_0 = rows[row_at];
    let row_1 = rows[row_at + 1u];
    if (mark.x < 0.0) {
      leader_0 = row_0;
      leader_1 = row_1;
      sum = next;
      mark = next_mark;
      continue;
    }
    let ahead = ahead_of(side, row_0, row_1, leader_0, leader_1, rows[row_at + 2u].z);
    let factor = exp_of(-abs(ahead));
    if (ahead > 0.0) {
      sum = next + factor * sum;
      mark = vec4<f32>(next_mark.x, next_mark.y + factor * mark.y, 0.0, 0.0);
      leader_0 = row_0;
      leader_1 = row_1;
    } else {
      sum += factor * next;
      mark.y += factor * next_mark.y;
    }
  }`)}`,
}
