import { EXP_WGSL, IS_NAN_WGSL, type WgslKernel } from '@tau/tensor/kernel'
import {
  ROW_VECTORS,
  readVector,
  rowField,
  vec4Buffer,
  vectorBuffer,
  weightText,
  writeVector,
} from '../quadratic/wgsl-pairs.ts'
import { CHANNELS, CHUNK } from './levels.ts'
import { SLOTS_OF } from './wgsl-chunks.ts'
import { GRAD_THREADS } from './wgsl-query-grad.ts'
import { overWidths, stateOf } from './wgsl-seen.ts'
import { addRow, addState, channels, eachVector, LEVEL_SIZES, PLACE_OF, zeros } from './wgsl-text.ts'

const weightOf = (share: string) =>
  weightText({
    ...{ key: 'key.x', logDecay: 'key.y', decayLow: 'key.z', exp: 'exp_of' },
    row: (field) => (field === 'share' ? share : rowField(field)),
  })

const ROWS = `let row_at = (first_query + time - offset) * ${ROW_VECTORS}u;
      let row_0 = rows[row_at];
      let row_1 = rows[row_at + 1u];
      let row_2 = rows[row_at + 2u];`

/** Text that adds one query to the sums of a key: to `signed`, and to `all` if it is named. If the key is the
 *  centre of the query's row, dOut·(v_j − centre) is exactly 0. A difference of two products would leave
 *  rounding in its place. So in this case dOut counts for dV only. */
const query = (sums: readonly ('signed' | 'all')[]) => `${ROWS}
      let row_3 = rows[row_at + 3u];${weightOf(rowField('share'))}
      let signed = weight * sign(${rowField('lambda')} - key.x);
      let all = weight;
      let is_centre = ${rowField('centred')} > 0.5 && ${rowField('top')} == f32(now);
      let product = ${rowField('restProduct')} + select(${rowField('centreProduct')}, 0.0, is_centre);
      ${sums.map((sum) => `${sum}_product += ${sum} * product;`).join('\n      ')}
      if (!is_centre) {
        ${sums.map((sum) => addRow(sum, sum, 'dOut', 'first_query + time - offset')).join('\n        ')}
      }${
        sums.includes('all')
          ? ` else {
        ${addRow('own', 'all', 'dOut', 'first_query + time - offset')}
      }`
          : ''
      }`

const overQueries = (place: string, body: string) => `
      for (var n = ${place} * ${CHUNK}u; n < min(count, ${place} * ${CHUNK}u + ${CHUNK}u); n++) {
        let time = u32(sorted[2u * (sorted_at + n) + 1u]);
        if (time < offset) { continue; }
        ${body}
      }`

/** dV of each query head, [B·H, Tk, D]: R = Σ_i p_ij dOut_i over the queries that see the key. It also writes
 *  parts [B·H, Tk, lanes, 2] of two sums, each from the channels of one thread: Σ_i ds_ij sign(λq_i − λk_j)
 *  and Σ_i ds_ij = v_j·R − Σ_i p_ij e_i. */
export const keyGradKernel = (wide: boolean): WgslKernel => ({
  name: `lambdaMergedGradK_${wide ? 4 : 1}`,
  uniforms: { ...LEVEL_SIZES, length: 'u32' },
  buffers: {
    v: vectorBuffer('read', wide),
    dOut: vectorBuffer('read', wide),
    keys: vec4Buffer('read'),
    rows: vec4Buffer('read'),
    sorted: { access: 'read' },
    states: vec4Buffer('read'),
    dV: vectorBuffer('write', wide),
    parts: { access: 'write' },
  },
  code: `
${IS_NAN_WGSL}
${EXP_WGSL}
${PLACE_OF}
${SLOTS_OF}
${readVector('v', wide)}
${readVector('dOut', wide)}
${writeVector('dV', wide)}
@compute @workgroup_size(${GRAD_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let i = id.x + id.y * groups.x * ${GRAD_THREADS}u;
  if (i >= params.length) { return; }
  let lane = i % params.lanes;
  let row = i / params.lanes;
  let head = row / params.keys;
  let now = row % params.keys;
  let key = keys[head * params.keys + now];
  let first_query = head * params.queries;
  let offset = params.keys - params.queries;
  var signed_product = 0.0;
  var all_product = 0.0;
  ${zeros('signed', 'all', 'own')}
  let own_end = min(params.keys, now - now % params.block + params.block);
  for (var time = max(now, offset); time < own_end; time++) {
    ${query(['signed', 'all'])}
  }
  ${overWidths(`let start = (block + 1u) * width;
    if (block % 2u == 1u || start >= params.keys) { continue; }
    let count = min(width, params.keys - start);
    let chunks = width / ${CHUNK}u;
    let sorted_at = (head * params.levels + level) * params.keys + start;
    let filled = (count + ${CHUNK - 1}u) / ${CHUNK}u;
    let low = place_of(sorted_at, filled, key.x, false);
    let high = place_of(sorted_at, filled, key.x, true);
    ${overQueries('low', query(['signed', 'all']))}
    if (high != low) {${overQueries('high', query(['signed']))}
    }
    // The queries below the key; those not below it; and those above it, if some queries have the key's λ.
    for (var part = 0u; part < 3u; part++) {
      if (part == 2u && high == low) { break; }
      let side = min(part, 1u);
      let place = select(low, high, part == 2u);
      ${stateOf(false)}
      if (mark.x < 0.0) { continue; }
      let time = u32(mark.x);
      ${ROWS}${weightOf('1.0')}
      if (part < 2u) {
        all_product += weight * mark.y;
        ${addState('all', 'weight')}
      }
      if (part != 1u || high == low) {
        let side_weight = select(weight, -weight, side == 0u);
        signed_product += side_weight * mark.y;
        ${addState('signed', 'side_weight')}
      }
    }`)}
  let value = (head / params.group) * params.capacity + now;
  var signed_part = 0.0;
  var all_part = 0.0;
  ${eachVector(
    (i) => `{
    let value_${i} = ${channels('v', 'value', i)};
    signed_part += dot(value_${i}, signed_${i});
    all_part += dot(value_${i}, all_${i});
    write_dV(row, ${CHANNELS}u * lane + ${4 * i}u, all_${i} + own_${i});
  }`,
  )}
  if (lane == 0u) {
    signed_part -= signed_product;
    all_part -= all_product;
  }
  parts[2u * (row * params.lanes + lane)] = signed_part;
  parts[2u * (row * params.lanes + lane) + 1u] = all_part;
}`,
})
