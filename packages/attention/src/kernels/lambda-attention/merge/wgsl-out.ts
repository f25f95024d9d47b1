import type { WgslKernel } from '@tau/tensor/kernel'
import {
  readVector,
  rowField,
  vec4Buffer,
  vectorBuffer,
  weightText,
  writeVector,
} from '../quadratic/wgsl-pairs.ts'
import { CHANNELS } from './levels.ts'
import { SLOTS_OF } from './wgsl-chunks.ts'
import { mainOfQueries, overSeen } from './wgsl-seen.ts'
import { addRow, addState, channels, eachVector, LEVEL_SIZES, zeros } from './wgsl-text.ts'

export const OUT_THREADS = 64

const WEIGHT = weightText({ key: 'key.x', logDecay: 'key.y', decayLow: 'key.z', row: rowField })

/** out = centre_i + rest and, if it is kept, rest = Σ_j p_ij (v_j − centre_i). The kernel over all pairs
 *  writes the same. One thread handles some channels of one query. */
export const mergedOutKernel = (wide: boolean, keepsRest: boolean): WgslKernel => ({
  name: `lambdaMergedOut_${wide ? 4 : 1}${keepsRest ? '_rest' : ''}`,
  uniforms: { ...LEVEL_SIZES, length: 'u32' },
  buffers: {
    v: vectorBuffer('read', wide),
    keys: vec4Buffer('read'),
    rows: vec4Buffer('read'),
    sorted: { access: 'read' },
    places: { access: 'read' },
    states: vec4Buffer('read'),
    out: vectorBuffer('write', wide),
    ...(keepsRest && { rest: vectorBuffer('write', wide) }),
  },
  code: `
${readVector('v', wide)}
${writeVector('out', wide)}
${keepsRest ? writeVector('rest', wide) : ''}
${SLOTS_OF}
${mainOfQueries(OUT_THREADS)}
  let is_centred = ${rowField('share')} > 0.5;
  let centre = u32(${rowField('top')});
  ${zeros('sum')}
  ${overSeen({
    onKey: `let key = keys[first + time];${WEIGHT}
      if (!(is_centred && time == centre)) {
        ${addRow('sum', 'weight', 'v', 'first_value + time')}
      }`,
    toPlace: 'let place = u32(places[row * params.levels + level]);',
    onState: `let time = u32(mark.x);
        let key = keys[first + time];${WEIGHT}
        ${addState('sum', 'weight')}
        if (!(is_centred && time == centre)) {
          ${addRow('sum', 'weight', 'v', 'first_value + time')}
        }`,
  })}
  ${eachVector(
    (i) => `{
    let col = ${CHANNELS}u * lane + ${4 * i}u;
    var value = sum_${i};
    if (is_centred) {
      let middle = ${channels('v', 'first_value + centre', i)};
      sum_${i} -= ${rowField('others')} * middle;
      value = middle + sum_${i};
    }
    write_out(row, col, value);
    ${keepsRest ? `write_rest(row, col, sum_${i});` : ''}
  }`,
  )}
}`,
})
