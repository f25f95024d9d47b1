import { EXP_WGSL, IS_NAN_WGSL, type WgslKernel } from '@tau/tensor/kernel'
import { readVector, vec4Buffer, vectorBuffer } from '../quadratic/wgsl-pairs.ts'
import { CHUNK } from './levels.ts'
import { overChunks, overPairs } from './wgsl-chunks.ts'
import { channels, eachVector, LEVEL_SIZES, QUADS, stateVectors, zeros } from './wgsl-text.ts'

// States over keys. A state sums the keys of a block below some λ, or those above it. It holds:
// - a leader: the key with the largest weight, the same for every query beyond all keys of the state;
// - Σ e^(score_k − score_leader) v_k over the other keys;
// - for gradients Σ e^(score_k − score_leader) (gap_k − gap_leader) v_k;
// - a mark: the leader's time (−1: no keys), then both sums with 1 in place of v.
// Every exponent is a sum of differences and at most 0. So nothing overflows, and no digits are lost to a
// distant reference. states [B·H, slots, 2, channels + mark]; each chunk has one state per side.

const buffersOf = (wide: boolean) =>
  ({
    v: vectorBuffer('read', wide),
    temperature: { access: 'read' },
    keys: vec4Buffer('read'),
  }) as const

/** WGSL function: score of `key` minus score of `other`, for queries beyond both keys. `nearer` says by how
 *  much `key` is nearer to such a query. */
const AHEAD = `
fn ahead_of(key : vec4<f32>, other : vec4<f32>, nearer : f32, head_temperature : f32) -> f32 {
  return nearer / head_temperature + ((key.y - other.y) + (key.z - other.z));
}`

const SIDES = ['low', 'high'] as const
const eachSide = (text: (side: (typeof SIDES)[number], i: number) => string): string =>
  SIDES.map(text).join('\n  ')

/** The state of each chunk by itself. One thread handles some channels of both sides. */
export const chunkSumsKernel = (wide: boolean, hasMoments: boolean): WgslKernel => ({
  name: `lambdaChunkSums_${wide ? 4 : 1}${hasMoments ? '_moments' : ''}`,
  uniforms: { ...LEVEL_SIZES, length: 'u32' },
  buffers: {
    ...buffersOf(wide),
    sorted: { access: 'read' },
    states: vec4Buffer('write'),
    marks: vec4Buffer('write'),
  },
  code: `
${IS_NAN_WGSL}
${EXP_WGSL}
${AHEAD}
${readVector('v', wide)}
${overChunks(`let head_temperature = temperature[head % params.heads];
  let kv_head = head / params.group;
  let at = (kv_head * params.levels + level) * params.keys + 2u * pair * width + skipped;
  let first = head * params.keys;
  let first_value = kv_head * params.capacity;
  var low = u32(sorted[2u * at + 1u]);
  var high = low;
  var low_key = keys[first + low];
  var high_key = low_key;
  for (var n = 1u; n < ${CHUNK}u; n++) {
    let time = u32(sorted[2u * (at + n) + 1u]);
    let key = keys[first + time];
    if (ahead_of(key, low_key, key.x - low_key.x, head_temperature) > 0.0) {
      low = time;
      low_key = key;
    }
    if (ahead_of(key, high_key, high_key.x - key.x, head_temperature) > 0.0) {
      high = time;
      high_key = key;
    }
  }
  ${eachSide((side) => `var ${side}_mark = vec2<f32>();`)}
  ${zeros('low', 'high', ...(hasMoments ? ['low_moment', 'high_moment'] : []))}
  for (var n = 0u; n < ${CHUNK}u; n++) {
    let time = u32(sorted[2u * (at + n) + 1u]);
    let key = keys[first + time];
    let low_gap = low_key.x - key.x;
    let high_gap = key.x - high_key.x;
    ${eachSide(
      (
        side,
      ) => `let ${side}_weight = select(exp_of(ahead_of(key, ${side}_key, -${side}_gap, head_temperature)), 0.0, time == ${side});
    ${side}_mark += ${side}_weight * vec2<f32>(1.0, ${side}_gap);`,
    )}
    ${eachVector(
      (i) => `let value_${i} = ${channels('v', 'first_value + time', i)};
        ${eachSide(
          (side) => `${side}_${i} += ${side}_weight * value_${i};
        ${hasMoments ? `${side}_moment_${i} += (${side}_weight * ${side}_gap) * value_${i};` : ''}`,
        )}`,
    )}
  }
  ${eachSide(
    (side, at) => `let ${side}_at = (2u * place + ${at}u) * ${stateVectors(hasMoments)} + 4u * lane;
  ${eachVector((i) => `states[${side}_at + ${i}u] = ${side}_${i};`)}
  ${hasMoments ? eachVector((i) => `states[${side}_at + ${QUADS} + ${i}u] = ${side}_moment_${i};`) : ''}
  if (lane == 0u) { marks[2u * place + ${at}u] = vec4<f32>(f32(${side}), ${side}_mark, 0.0); }`,
  )}`)}`,
})

/** Replaces the state of each chunk by the state of all chunks before it (side 0) or after it (side 1): a
 *  prefix sum. One thread handles four channels of one side and walks over the chunks of a block. */
export const scanKernel = (wide: boolean, hasMoments: boolean): WgslKernel => ({
  name: `lambdaScan_${wide ? 4 : 1}${hasMoments ? '_moments' : ''}`,
  uniforms: LEVEL_SIZES,
  buffers: { ...buffersOf(wide), marks: vec4Buffer('read'), states: vec4Buffer('update') },
  code: `
${IS_NAN_WGSL}
${EXP_WGSL}
${AHEAD}
${readVector('v', wide)}
${overPairs(`let head_temperature = temperature[head % params.heads];
  let first = head * params.keys;
  let first_value = (head / params.group) * params.capacity;
  var leader = vec4<f32>();
  var time = -1.0;
  var mass = 0.0;
  var moment = 0.0;
  var sum = vec4<f32>();
  ${hasMoments ? 'var moments = vec4<f32>();' : ''}
  for (var n = 0u; n < chunks; n++) {
    let place = 2u * (first_chunk + select(n, chunks - 1u - n, side == 1u)) + side;
    let at = place * ${stateVectors(hasMoments)};
    let next = states[at + quad];
    states[at + quad] = sum;
    ${
      hasMoments
        ? `let next_moments = states[at + ${QUADS} + quad];
    states[at + ${QUADS} + quad] = moments;`
        : ''
    }
    if (quad == 0u) { states[at + ${stateVectors(hasMoments)} - 1u] = vec4<f32>(time, mass, moment, 0.0); }
    let next_mark = marks[place];
    let next_leader = keys[first + u32(next_mark.x)];
    if (time < 0.0) {
      leader = next_leader;
      time = next_mark.x;
      mass = next_mark.y;
      moment = next_mark.z;
      sum = next;
      ${hasMoments ? 'moments = next_moments;' : ''}
      continue;
    }
    let nearer = select(next_leader.x - leader.x, leader.x - next_leader.x, side == 1u);
    let ahead = ahead_of(next_leader, leader, nearer, head_temperature);
    let leads = ahead > 0.0;
    let factor = exp_of(-abs(ahead));
    // The state whose leader loses: its leader and its other keys, and how much further away its leader is.
    let further = select(-nearer, nearer, leads);
    let lost_mass = 1.0 + select(next_mark.y, mass, leads);
    let lost = read_v(first_value + u32(select(next_mark.x, time, leads)), 4u * quad) + select(next, sum, leads);
    ${
      hasMoments
        ? 'moments = select(moments, next_moments, leads) + factor * (select(next_moments, moments, leads) + further * lost);'
        : ''
    }
    sum = select(sum, next, leads) + factor * lost;
    moment = select(moment, next_mark.z, leads) + factor * (select(next_mark.z, moment, leads) + further * lost_mass);
    mass = select(mass, next_mark.y, leads) + factor * lost_mass;
    time = select(time, next_mark.x, leads);
    leader = select(leader, next_leader, leads);
  }`)}`,
})
