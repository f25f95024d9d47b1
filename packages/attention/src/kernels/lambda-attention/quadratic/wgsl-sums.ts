import type { WgslKernel } from '@tau/tensor/kernel'
import {
  eachRow,
  eachStored,
  loadFour,
  loadKeys,
  loadRow,
  multiplyVisible,
  QUADS,
  ROW_VECTORS,
  type RowField,
  readVector,
  rowField,
  SIZES,
  THREADS,
  TILE,
  vec4Buffer,
  vectorBuffer,
  weightText,
  writeVector,
} from './wgsl-pairs.ts'

// Sums of vectors with the weights: a product of two matrices. The left one holds the weights. They are
// computed where they are needed, 64 rows by DEPTH steps at a time.

/** Steps of a slice. Two slices of 64 columns fill 16 KiB of workgroup memory, which every adapter has. */
const DEPTH = 32
/** Rounds in which the threads fill a slice. */
const ROUNDS = (DEPTH * QUADS) / THREADS

const MEMORY = `
var<workgroup> weights : array<vec4<f32>, ${DEPTH * QUADS}>;
var<workgroup> vectors : array<vec4<f32>, ${DEPTH * QUADS}>;`

const INDICES = `
  let x = thread % ${QUADS}u;
  let y = thread / ${QUADS}u;
  let first_col = id.y * ${TILE}u;
  let offset = params.keys - params.queries;
  ${eachRow((row) => `var ${row} = vec4<f32>();`)}`

const MAIN = `
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(local_invocation_index) thread : u32,
  @builtin(workgroup_id) id : vec3<u32>,
  @builtin(num_workgroups) groups : vec3<u32>,
)`

/** The text that reads a field from the matrices `rows_0` … `rows_2`: a vector with the fields of four
 *  queries. */
const fieldOfFour = (field: RowField): string =>
  rowField(field).replace(/^row_(\d)\.(\w)$/, (_, i, c) => `rows_${i}[${'xyzw'.indexOf(c)}]`)

/** out and, if it is kept, rest = Σ_j p_ij (v_j − centre_i). If the top key's value is the centre, the sum
 *  leaves that key out. Then it subtracts the weight of all other keys times the centre. */
export const outKernel = (wide: boolean, keepsRest: boolean): WgslKernel => ({
  name: `lambdaOut_${wide ? 4 : 1}${keepsRest ? '_rest' : ''}`,
  uniforms: SIZES,
  buffers: {
    v: vectorBuffer('read', wide),
    keys: vec4Buffer('read'),
    rows: vec4Buffer('read'),
    out: vectorBuffer('write', wide),
    ...(keepsRest && { rest: vectorBuffer('write', wide) }),
  },
  code: `${MEMORY}
${readVector('v', wide)}
${writeVector('out', wide)}
${keepsRest ? writeVector('rest', wide) : ''}
${MAIN} {${INDICES}
  let head = id.z;
  let first_key = (head / params.group) * params.capacity;
  let first_query = (groups.x - 1u - id.x) * ${TILE}u; // queries with the most keys go first
  let query = first_query + 4u * x + vec4<u32>(0u, 1u, 2u, 3u);
  let at = (head * params.queries + min(query, vec4<u32>(params.queries - 1u))) * ${ROW_VECTORS}u;
  ${[0, 1, 2].map((i) => loadFour(`rows_${i}`, (of) => `rows[at[${of}] + ${i}u]`)).join('\n  ')}
  let is_centred = rows_1[2] > vec4<f32>(0.5);
  let end = min(params.keys, first_query + ${TILE}u + offset);
  for (var start = 0u; start < end; start += ${DEPTH}u) {
    for (var round = 0u; round < ${ROUNDS}u; round++) {
      let slot = round * ${THREADS / QUADS}u + y;
      let j = start + slot;
      let key = keys[head * params.keys + min(j, params.keys - 1u)];${weightText({
        ...{ key: 'key.x', logDecay: 'key.y', decayLow: 'key.z' },
        row: fieldOfFour,
      })}
      let counts = (vec4<u32>(j) <= query + offset) & !(is_centred & (rows_2[0] == vec4<f32>(f32(j))));
      weights[slot * ${QUADS}u + x] = select(vec4<f32>(), weight, counts);
      var vector = vec4<f32>();
      if (j < end) { vector = read_v(first_key + j, first_col + 4u * x); }
      vectors[slot * ${QUADS}u + x] = vector;
    }
    workgroupBarrier();${multiplyVisible('weights', 'vectors', DEPTH, {
      allCount: `start + ${DEPTH - 1}u <= first_query + offset`,
      counts: (place) => `start + step <= first_query + ${place} + offset`,
    })}
    workgroupBarrier();
  }
  let col = first_col + 4u * x;
  ${eachStored(`
    let query = first_query + place;
    if (query >= params.queries) { continue; }
    let to = head * params.queries + query;
    let row_2 = rows[to * ${ROW_VECTORS}u + 2u];
    var rest = sum;
    var value = rest;
    if (rows[to * ${ROW_VECTORS}u + 1u].z > 0.5) {
      let centre = read_v(first_key + u32(${rowField('top')}), col);
      rest -= ${rowField('others')} * centre;
      value = centre + rest;
    }
    write_out(to, col, value);
    ${keepsRest ? 'write_rest(to, col, rest);' : ''}`)}
}`,
})

/** dV_j = Σ_i p_ij dOut_i over the queries of all heads of a group. */
export const valueGradKernel = (wide: boolean): WgslKernel => ({
  name: `lambdaGradV_${wide ? 4 : 1}`,
  uniforms: SIZES,
  buffers: {
    dOut: vectorBuffer('read', wide),
    keys: vec4Buffer('read'),
    rows: vec4Buffer('read'),
    dV: vectorBuffer('write', wide),
  },
  code: `${MEMORY}
${readVector('dOut', wide)}
${writeVector('dV', wide)}
${MAIN} {${INDICES}
  let first_key = id.x * ${TILE}u;
  let key = first_key + 4u * x + vec4<u32>(0u, 1u, 2u, 3u);
  for (var member = 0u; member < params.group; member++) {
    let head = id.z * params.group + member;
    ${loadKeys('first_key + 4u * x')}
    for (var start = first_key - min(first_key, offset); start < params.queries; start += ${DEPTH}u) {
      for (var round = 0u; round < ${ROUNDS}u; round++) {
        let slot = round * ${THREADS / QUADS}u + y;
        let query = start + slot;${loadRow('query')}${weightText({
          ...{ key: 'near[0]', logDecay: 'near[1]', decayLow: 'near[2]' },
          row: rowField,
        })}
        weights[slot * ${QUADS}u + x] = select(vec4<f32>(), weight, key <= vec4<u32>(query + offset));
        var vector = vec4<f32>();
        if (query < params.queries) { vector = read_dOut(head * params.queries + query, first_col + 4u * x); }
        vectors[slot * ${QUADS}u + x] = vector;
      }
      workgroupBarrier();${multiplyVisible('weights', 'vectors', DEPTH, {
        allCount: `first_key + ${TILE - 1}u <= start + offset`,
        counts: (place) => `first_key + ${place} <= start + step + offset`,
      })}
      workgroupBarrier();
    }
  }
  ${eachStored(`
    let key = first_key + place;
    if (key < params.keys) { write_dV(id.z * params.keys + key, first_col + 4u * x, sum); }`)}
}`,
})

export const sumGroups = (rows: number, valueDim: number, heads: number): [number, number, number] => [
  Math.ceil(rows / TILE),
  Math.ceil(valueDim / TILE),
  heads,
]
