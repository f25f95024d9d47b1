import { EXP_WGSL, IS_NAN_WGSL, type WgslKernel } from '@tau/tensor/kernel'
import {
  ROW_VECTORS,
  readVector,
  rowField,
  vec4Buffer,
  vectorBuffer,
  weightText,
} from '../quadratic/wgsl-pairs.ts'
import { SLOTS_OF } from './wgsl-chunks.ts'
import { mainOfQueries, overChunk, overLevels, overOwnBlock, stateOf } from './wgsl-seen.ts'
import { addRow, addState, channels, eachVector, LEVEL_SIZES, PLACE_OF, QUADS, zeros } from './wgsl-text.ts'

export const GRAD_THREADS = 64

const WEIGHT = weightText({
  key: 'key.x',
  logDecay: 'key.y',
  decayLow: 'key.z',
  row: rowField,
  exp: 'exp_of',
})

/** Text that adds one key to the named sums. The term of `signed` is the weight times the sign of λq − λk.
 *  The term of `tilted` is the weight times (gap − mean gap). */
const addKey = (sums: readonly ('signed' | 'tilted')[]): string => `
        ${sums.map((sum) => `${sum}_total += ${sum};`).join(' ')}
        if (!(is_centred && time == centre)) {
          ${sums.map((sum) => `${sum}_others += ${sum};\n          ${addRow(sum, sum, 'v', 'first_value + time')}`).join('\n          ')}
        }`

const key = (sums: readonly ('signed' | 'tilted')[]): string => `let key = keys[first + time];${WEIGHT}
      let signed = weight * sign(lambda - key.x);
      let tilted = weight * (beyond - ${rowField('mean')});
      ${addKey(sums)}`

/** Parts [B·H, Tq, lanes, 2] of two sums over the keys of a query, each part from the channels of one thread:
 *    Σ_j ds_ij sign(λq_i − λk_j)   and   Σ_j ds_ij (gap_ij − mean gap)
 *  Let f_j be the sign or (gap_ij − mean gap), and S = Σ_j p_ij f_j (v_j − centre_i). Then each sum is
 *    dOut·S − dOut·rest_i Σ_j p_ij f_j
 *  A key with the query's λ has sign 0. For the first sum, chunks that hold only such keys are left out. */
export const queryGradKernel = (wide: boolean): WgslKernel => ({
  name: `lambdaMergedGradQ_${wide ? 4 : 1}`,
  uniforms: { ...LEVEL_SIZES, length: 'u32' },
  buffers: {
    v: vectorBuffer('read', wide),
    dOut: vectorBuffer('read', wide),
    keys: vec4Buffer('read'),
    rows: vec4Buffer('read'),
    sorted: { access: 'read' },
    states: vec4Buffer('read'),
    parts: { access: 'write' },
  },
  code: `
${IS_NAN_WGSL}
${EXP_WGSL}
${PLACE_OF}
${SLOTS_OF}
${readVector('v', wide)}
${readVector('dOut', wide)}
${mainOfQueries(GRAD_THREADS)}
  let row_3 = rows[row * ${ROW_VECTORS}u + 3u];
  let lambda = ${rowField('lambda')};
  let is_centred = ${rowField('centred')} > 0.5;
  let centre = u32(${rowField('top')});
  ${['signed', 'tilted'].map((sum) => `var ${sum}_total = 0.0;\n  var ${sum}_others = 0.0;`).join('\n  ')}
  ${zeros('signed', 'tilted')}
  ${overOwnBlock(key(['signed', 'tilted']))}
  ${overLevels(`let low = place_of(sorted_at, chunks, lambda, false);
    let high = place_of(sorted_at, chunks, lambda, true);
    {
      let place = low;
      ${overChunk(key(['signed', 'tilted']))}
    }
    if (high != low) {
      let place = high;
      ${overChunk(key(['signed']))}
    }
    // The keys below the query; those not below it; and those above it, if some keys have the query's λ.
    for (var part = 0u; part < 3u; part++) {
      if (part == 2u && high == low) { break; }
      let side = min(part, 1u);
      let place = select(low, high, part == 2u);
      ${stateOf(true)}
      if (mark.x < 0.0) { continue; }
      let time = u32(mark.x);
      let key = keys[first + time];${WEIGHT}
      if (part < 2u) {
        let tilted = weight * (beyond - ${rowField('mean')});
        let followers = tilted * mark.y + weight * mark.z;
        tilted_total += followers;
        tilted_others += followers;
        ${addState('tilted', 'tilted')}
        ${addState('tilted', 'weight', QUADS)}
        ${addKey(['tilted'])}
      }
      if (part != 1u || high == low) {
        let signed = select(weight, -weight, side == 1u);
        signed_total += signed * mark.y;
        signed_others += signed * mark.y;
        ${addState('signed', 'signed')}
        ${addKey(['signed'])}
      }
    }`)}
  var found = vec2<f32>();
  ${eachVector(
    (i) => `{
    var differences = array<vec4<f32>, 2>(signed_${i}, tilted_${i});
    if (is_centred) {
      let middle = ${channels('v', 'first_value + centre', i)};
      differences[0] -= signed_others * middle;
      differences[1] -= tilted_others * middle;
    }
    let given = ${channels('dOut', 'row', i)};
    found += vec2<f32>(dot(given, differences[0]), dot(given, differences[1]));
  }`,
  )}
  if (lane == 0u) { found -= ${rowField('restProduct')} * vec2<f32>(signed_total, tilted_total); }
  parts[2u * (row * params.lanes + lane)] = found.x;
  parts[2u * (row * params.lanes + lane) + 1u] = found.y;
}`,
})
