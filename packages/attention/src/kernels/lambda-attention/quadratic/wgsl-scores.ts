import type { WgslKernel } from '@tau/tensor/kernel'
import {
  eachRow,
  loadKeys,
  loadRow,
  multiply,
  QUADS,
  readVector,
  rowField,
  SIZES,
  THREADS,
  TILE,
  vec4Buffer,
  vectorBuffer,
  weightText,
} from './wgsl-pairs.ts'

// Gradients of the scores, one tile of 64 queries × 64 keys at a time. The products dOut·v and then dScore
// stay in registers. Only sums of dScore over the keys or over the queries leave the workgroup.

/** Steps of the products that lie in workgroup memory at a time. Each thread loads a block of 4 × 4
 *  elements. */
const DEPTH = 16
const HALF = THREADS / 2

const fetch = (name: string) => `
fn fetch_${name}(row : u32, end : u32, col : u32) -> mat4x4<f32> {
  var block : mat4x4<f32>;
  if (row < end) { block[0] = read_${name}(row, col); }
  if (row + 1u < end) { block[1] = read_${name}(row + 1u, col); }
  if (row + 2u < end) { block[2] = read_${name}(row + 2u, col); }
  if (row + 3u < end) { block[3] = read_${name}(row + 3u, col); }
  return transpose(block);
}`

const buffers = (wide: boolean) =>
  ({
    v: vectorBuffer('read', wide),
    dOut: vectorBuffer('read', wide),
    keys: vec4Buffer('read'),
    rows: vec4Buffer('read'),
  }) as const

const memory = (wide: boolean) => `
var<workgroup> tile_d : array<vec4<f32>, ${DEPTH * QUADS}>;
var<workgroup> tile_v : array<vec4<f32>, ${DEPTH * QUADS}>;
${readVector('v', wide)}
${readVector('dOut', wide)}
${fetch('v')}
${fetch('dOut')}`

const MAIN = `
@compute @workgroup_size(${THREADS})
fn main(
  @builtin(local_invocation_index) thread : u32,
  @builtin(workgroup_id) id : vec3<u32>,
  @builtin(num_workgroups) groups : vec3<u32>,
) {
  let x = thread % ${QUADS}u;
  let y = thread / ${QUADS}u;
  let offset = params.keys - params.queries;
  let block = thread % ${HALF}u;
  let quad = block / ${DEPTH / 4}u;
  let depth = 4u * (block % ${DEPTH / 4}u);`

/** Computes the tile at `first_query` and `first_key` of `head`, for keys before `end`. `use` runs for each
 *  of the thread's rows. It can read three vectors over four keys:
 *  - `d_score`;
 *  - `excess`, the gap minus the mean gap;
 *  - `signs`, the signs of λq − λk.
 *  All three are 0 for keys that the query does not see, even if those keys hold NaN. */
const overTile = (use: (row: number) => string) => `
    ${eachRow((row) => `var ${row} = vec4<f32>();`)}
    let query_start = head * params.queries;
    let key_start = (head / params.group) * params.keys;
    for (var d = 0u; d < params.valueDim; d += ${DEPTH}u) {
      var next : mat4x4<f32>;
      if (thread < ${HALF}u) {
        next = fetch_dOut(query_start + first_query + 4u * quad, query_start + params.queries, d + depth);
      } else {
        next = fetch_v(key_start + first_key + 4u * quad, key_start + params.keys, d + depth);
      }
      workgroupBarrier();
      for (var i = 0u; i < 4u; i++) {
        let to = (depth + i) * ${QUADS}u + quad;
        if (thread < ${HALF}u) { tile_d[to] = next[i]; } else { tile_v[to] = next[i]; }
      }
      workgroupBarrier();${multiply('tile_d', 'tile_v', DEPTH)}
    }
    ${loadKeys('first_key + 4u * x')}
    let key = first_key + 4u * x + vec4<u32>(0u, 1u, 2u, 3u);
    ${eachRow((row, place) => {
      const at = Number(row.slice(4))
      return `{
      let query = first_query + ${place};${loadRow('query')}${weightText({
        ...{ key: 'near[0]', logDecay: 'near[1]', decayLow: 'near[2]' },
        row: rowField,
      })}
      let is_centre = (vec4<f32>(key) == vec4<f32>(${rowField('top')})) & vec4<bool>(${rowField('centred')} > 0.5);
      let product = select(${row} - ${rowField('centreProduct')}, vec4<f32>(), is_centre);
      let counts = (key <= vec4<u32>(query + offset)) & (key < vec4<u32>(end)) & vec4<bool>(query < params.queries);
      let d_score = select(vec4<f32>(), weight * (product - ${rowField('restProduct')}), counts);
      let excess = select(vec4<f32>(), beyond - ${rowField('mean')}, counts);
      let signs = select(vec4<f32>(), sign(${rowField('lambda')} - near[0]), counts);
      ${use(at)}
    }`
    })}`

const ROW_SUMS = ['side', 'moment', 'now'] as const

/** Sums over the keys of a span, per query: dλq, the query's part of dTemperature and, with decay, dNow. */
export const queryGradKernel = (wide: boolean, hasDecay: boolean): WgslKernel => {
  const names = hasDecay ? ROW_SUMS : ROW_SUMS.slice(0, 2)
  const terms = {
    side: 'd_score * signs',
    moment: 'd_score * excess',
    now: 'd_score',
  }
  const results = {
    side: `-total / ${rowField('temperature')}`,
    moment: `total / ${rowField('temperature')} / ${rowField('temperature')}`,
    now: '-total',
  }
  const sums = (text: (name: (typeof ROW_SUMS)[number]) => string) => names.map(text).join('\n      ')
  return {
    name: `lambdaGradQ_${wide ? 4 : 1}${hasDecay ? '_decay' : ''}`,
    uniforms: { ...SIZES, each: 'u32' },
    buffers: {
      ...buffers(wide),
      side: { access: 'write' },
      moment: { access: 'write' },
      ...(hasDecay && { now: { access: 'write' } }),
    },
    code: `${memory(wide)}
var<workgroup> parts : array<f32, ${TILE * QUADS}>;
${MAIN}
  let head = id.z;
  let span = id.y;
  let first_query = (groups.x - 1u - id.x) * ${TILE}u; // queries with the most keys go first
  let end = min(params.keys, (span + 1u) * params.each);
  let last = min(end, first_query + ${TILE}u + offset);
  ${eachRow((row) => sums((name) => `var ${name}_${row} = vec4<f32>();`))}
  for (var first_key = span * params.each; first_key < last; first_key += ${TILE}u) {${overTile((at) =>
    sums((name) => `${name}_sum_${at} += ${terms[name]};`),
  )}
  }
  ${sums(
    (name) => `workgroupBarrier();
  ${eachRow((row, place) => `parts[(${place}) * ${QUADS}u + x] = dot(${name}_${row}, vec4<f32>(1.0));`)}
  workgroupBarrier();
  if (thread < ${TILE}u && first_query + thread < params.queries) {
    var total = 0.0;
    for (var i = 0u; i < ${QUADS}u; i++) { total += parts[thread * ${QUADS}u + i]; }${loadRow('first_query + thread')}
    ${name}[(head * groups.y + span) * params.queries + first_query + thread] = ${results[name]};
  }`,
  )}
}`,
  }
}

/** Sums over the queries that see a key: dλk over all heads of a group and, with decay, dLogDecay of each
 *  head. */
export const keyGradKernel = (wide: boolean, hasDecay: boolean): WgslKernel => {
  const fold = (sum: string, out: string, head: string) => `
    workgroupBarrier();
    parts[y * ${QUADS}u + x] = ${sum};
    workgroupBarrier();
    if (thread < ${TILE}u && first_key + thread < params.keys) {
      var total = 0.0;
      for (var i = 0u; i < ${THREADS / QUADS}u; i++) { total += parts[i * ${QUADS}u + thread / 4u][thread % 4u]; }
      ${out}[${head} * params.keys + first_key + thread] = total;
    }`
  return {
    name: `lambdaGradK_${wide ? 4 : 1}${hasDecay ? '_decay' : ''}`,
    uniforms: SIZES,
    buffers: {
      ...buffers(wide),
      dLambdaK: { access: 'write' },
      ...(hasDecay && { dLogDecay: { access: 'write' } }),
    },
    code: `${memory(wide)}
var<workgroup> parts : array<vec4<f32>, ${THREADS}>;
${MAIN}
  let first_key = id.x * ${TILE}u;
  let end = params.keys;
  var side = vec4<f32>();
  for (var member = 0u; member < params.group; member++) {
    let head = id.z * params.group + member;
    var elapsed_sum = vec4<f32>();
    for (var first_query = first_key - min(first_key, offset); first_query < params.queries; first_query += ${TILE}u) {${overTile(
      () => `side += d_score * signs / ${rowField('temperature')};
      elapsed_sum += d_score;`,
    )}
    }${hasDecay ? fold('elapsed_sum', 'dLogDecay', 'head') : ''}
  }${fold('side', 'dLambdaK', 'id.z')}
}`,
  }
}
