import type { WgslBuffer } from '@tau/tensor/kernel'

// Text that the hand-written kernels are made of. In them `head` counts b·H + h and `kv_head` b·Hkv + hk, and 128 threads make a tile of
// 64 × 64 numbers, 8 × 4 in the registers of each, from slices in workgroup memory.

export const TILE = 64
export const THREADS = 128
/** Vectors of four to a row of a tile, threads across it and down it. */
export const QUADS = TILE / 4
const DOWN = THREADS / QUADS

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** A thread's rows of a tile: two groups of four, far apart, so that neighbours read neighbouring vectors. Its columns are those of vector
 *  `x`. */
export const ROWS: readonly { readonly name: string; readonly place: string }[] = numbers(8).map((i) => ({
  name: `sum_${i}`,
  place: `4u * (y + ${Math.floor(i / 4) * DOWN}u) + ${i % 4}u`,
}))

export const eachRow = (text: (row: string, place: string) => string): string =>
  ROWS.map(({ name, place }) => text(name, place)).join('\n  ')

/** Runs `body` for each of a thread's rows, with its `place` in the tile and its `sum`. In a loop, for compilers are slow. */
export const eachStored = (body: string): string => `
  var sums = array<vec4<f32>, ${ROWS.length}>(${ROWS.map(({ name }) => name).join(', ')});
  for (var i = 0u; i < ${ROWS.length}u; i++) {
    let place = 4u * (y + ${DOWN}u * (i / 4u)) + i % 4u;
    let sum = sums[i];${body}
  }`

/** Adds the product of slices of `depth` steps, `left` [depth, 64 rows] and `right` [depth, 64 columns], to the thread's sums. With `counts`,
 *  the pairs of a step and of a row at a place of the tile for which it is false are left out: 0 is no weight for a NaN. */
const products = (left: string, right: string, depth: number, counts?: (place: string) => string): string => `
    for (var step = 0u; step < ${depth}u; step++) {
      let upper_rows = ${left}[step * ${QUADS}u + y];
      let lower_rows = ${left}[step * ${QUADS}u + y + ${DOWN}u];
      let columns = ${right}[step * ${QUADS}u + x];
      ${ROWS.map(({ name, place }, i) => {
        const sum = `${name} + ${i < 4 ? 'upper' : 'lower'}_rows.${'xyzw'[i % 4]} * columns`
        return `${name} = ${counts ? `select(${name}, ${sum}, ${counts(place)})` : sum};`
      }).join('\n      ')}
    }`

export const multiply = (left: string, right: string, depth: number): string => products(left, right, depth)

/** {@link multiply} for slices that may lie across the edge of what a row sees: `allCount` says of a whole slice that it does not, and
 *  `counts` of one `step` and one row. Only slices at the edge pay for the choice. */
export const multiplyVisible = (
  left: string,
  right: string,
  depth: number,
  { allCount, counts }: { readonly allCount: string; readonly counts: (place: string) => string },
): string => `
    if (${allCount}) {${products(left, right, depth)}
    } else {${products(left, right, depth, counts)}
    }`

/** Sizes, in the order in which every launch gets them. */
export const SIZES = {
  heads: 'u32',
  group: 'u32',
  queries: 'u32',
  keys: 'u32',
  valueDim: 'u32',
  /** Rows of lambdaK, v and decays per head. */
  capacity: 'u32',
} as const

/** Vectors of four to a query: {@link FIELDS}. */
export const ROW_VECTORS = 4
export const vec4Buffer = (access: WgslBuffer['access']): WgslBuffer => ({ access, element: 'vec4<f32>' })
/** A buffer of {@link readVector} or {@link writeVector}. */
export const vectorBuffer = (access: WgslBuffer['access'], wide: boolean): WgslBuffer => ({
  access,
  element: wide ? 'vec4<f32>' : 'f32',
})

/** The weights of some keys for a query, or of a key for some queries: `beyond`, the gap less the top key's, and `weight`. Texts may be
 *  numbers or vectors. */
export const weightText = (text: {
  readonly key: string
  readonly logDecay: string
  readonly decayLow: string
  readonly row: (field: RowField) => string
  /** Default: exp, which may make ∞ of NaN. */
  readonly exp?: 'exp_of'
}): string => {
  const { key, logDecay, decayLow, row, exp = 'exp' } = text
  return `
      let above = (${key} - ${row('upper')}) - ${row('upperLow')};
      let below = (${row('lower')} - ${key}) + ${row('lowerLow')};
      let beyond = max(above, below);
      let elapsed = (${logDecay} - ${row('logDecay')}) + (${decayLow} - ${row('decayLow')});
      let weight = ${exp}(elapsed - beyond / ${row('temperature')}) * ${row('share')};`
}

/** What a query needs to make a weight or a dScore: its stats (stats.ts; share is mass), then λq, the temperature, the weight of all keys
 *  but the top one; and for gradients `centred`, 1 where v_top is the row's centre, dOut·centre and dOut·rest. */
const FIELDS = [
  'upper',
  'upperLow',
  'lower',
  'lowerLow',
  'logDecay',
  'decayLow',
  'share',
  'mean',
  'top',
  'lambda',
  'temperature',
  'others',
  'centred',
  'centreProduct',
  'restProduct',
] as const
export type RowField = (typeof FIELDS)[number]

/** A field of the vectors `row_0` … `row_3`. */
export const rowField = (field: RowField): string => {
  const at = FIELDS.indexOf(field)
  return `row_${Math.floor(at / 4)}.${'xyzw'[at % 4]}`
}

/** let row_0 … row_3 of a query; beyond the end those of the last one. */
export const loadRow = (query: string): string => `
      let row_at = (head * params.queries + min(${query}, params.queries - 1u)) * ${ROW_VECTORS}u;
      ${numbers(ROW_VECTORS)
        .map((i) => `let row_${i} = rows[row_at + ${i}u];`)
        .join('\n      ')}`

/** let NAME, of which NAME[i] has component i of four vectors: those at `at(0)` … `at(3)`. */
export const loadFour = (name: string, at: (i: number) => string): string =>
  `let ${name} = transpose(mat4x4<f32>(${numbers(4).map(at).join(', ')}));`

/** let near: near[0] the λ of four keys from `key` on, near[1] and near[2] their decay readings; beyond the end those of the last one. */
export const loadKeys = (key: string): string =>
  loadFour('near', (i) => `keys[head * params.keys + min(${key} + ${i}u, params.keys - 1u)]`)

/** `read_NAME(row, col)`: four neighbours of a row of a buffer with rows of `valueDim`, 0 beyond the end of it. */
export const readVector = (name: string, wide: boolean): string => `
fn read_${name}(row : u32, col : u32) -> vec4<f32> {
  let width = params.valueDim;
  if (col >= width) { return vec4<f32>(); }
  ${
    wide
      ? `return ${name}[(row * width + col) / 4u];`
      : `let at = row * width + col;
  var four = vec4<f32>(${name}[at], 0.0, 0.0, 0.0);
  if (col + 1u < width) { four.y = ${name}[at + 1u]; }
  if (col + 2u < width) { four.z = ${name}[at + 2u]; }
  if (col + 3u < width) { four.w = ${name}[at + 3u]; }
  return four;`
  }
}`

/** `write_NAME(row, col, v)`. */
export const writeVector = (name: string, wide: boolean): string => `
fn write_${name}(row : u32, col : u32, v : vec4<f32>) {
  let width = params.valueDim;
  ${
    wide
      ? `if (col < width) { ${name}[(row * width + col) / 4u] = v; }`
      : `for (var i = 0u; i < 4u && col + i < width; i++) { ${name}[row * width + col + i] = v[i]; }`
  }
}`
