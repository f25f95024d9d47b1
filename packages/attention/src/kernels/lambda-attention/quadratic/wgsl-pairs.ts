import type { WgslBuffer } from '@tau/tensor/kernel'

// Pieces of text for the hand-written kernels. `head` counts b·H + h and `kv_head` counts b·Hkv + hk. A
// workgroup of 128 threads computes a tile of 64 × 64 numbers from slices in workgroup memory. Each thread
// holds 8 × 4 of them in registers.

export const TILE = 64
export const THREADS = 128
/** Vectors of four in a row of a tile. QUADS threads lie across the tile and DOWN threads along it. */
export const QUADS = TILE / 4
const DOWN = THREADS / QUADS

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

/** A thread's rows of a tile: two groups of four rows. The groups lie far apart, so that neighbouring threads
 *  read neighbouring vectors. Its columns are those of vector `x`. */
export const ROWS: readonly { readonly name: string; readonly place: string }[] = numbers(8).map((i) => ({
  name: `sum_${i}`,
  place: `4u * (y + ${Math.floor(i / 4) * DOWN}u) + ${i % 4}u`,
}))

export const eachRow = (text: (row: string, place: string) => string): string =>
  ROWS.map(({ name, place }) => text(name, place)).join('\n  ')

/** Runs `body` for each of a thread's rows, with its `place` in the tile and its `sum`. It is a loop because
 *  the driver compiles unrolled text slowly. */
export const eachStored = (body: string): string => `
  var sums = array<vec4<f32>, ${ROWS.length}>(${ROWS.map(({ name }) => name).join(', ')});
  for (var i = 0u; i < ${ROWS.length}u; i++) {
    let place = 4u * (y + ${DOWN}u * (i / 4u)) + i % 4u;
    let sum = sums[i];${body}
  }`

/** Adds a product of two slices of `depth` steps to the thread's sums: `left` [depth, 64 rows] times `right`
 *  [depth, 64 columns]. `counts` says whether a step counts for the row at a place of the tile. Steps that do
 *  not count are skipped, because a weight of 0 would not remove a NaN. */
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

/** {@link multiply} for slices that may cross the edge of what a row sees. `allCount` says that a whole slice
 *  is visible; `counts` decides for one `step` and one row. Only slices at the edge take the slower path. */
export const multiplyVisible = (
  left: string,
  right: string,
  depth: number,
  { allCount, counts }: { readonly allCount: string; readonly counts: (place: string) => string },
): string => `
    if (${allCount}) {${products(left, right, depth)}
    } else {${products(left, right, depth, counts)}
    }`

/** Names of the sizes, in the order in which every launch passes them. */
export const SIZES = {
  heads: 'u32',
  group: 'u32',
  queries: 'u32',
  keys: 'u32',
  valueDim: 'u32',
  /** Rows of lambdaK, v and decays per head. */
  capacity: 'u32',
} as const

/** Vectors of four per query; {@link FIELDS} names their elements. */
export const ROW_VECTORS = 4
export const vec4Buffer = (access: WgslBuffer['access']): WgslBuffer => ({ access, element: 'vec4<f32>' })
/** A buffer for {@link readVector} or {@link writeVector}. */
export const vectorBuffer = (access: WgslBuffer['access'], wide: boolean): WgslBuffer => ({
  access,
  element: wide ? 'vec4<f32>' : 'f32',
})

/** Declares `weight` and `beyond`, the gap minus the top key's gap, for a query and a key. A text may stand
 *  for one number or for a vector of several queries or keys. */
export const weightText = (text: {
  readonly key: string
  readonly logDecay: string
  readonly decayLow: string
  readonly row: (field: RowField) => string
  /** Default: exp, which may turn NaN into ∞. */
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

/** Fields of a query that give any weight or dScore:
 *  - its stats (see stats.ts; `share` is their mass);
 *  - its λ, the temperature, and `others`, the weight of all keys but the top one;
 *  - for gradients `centred` (1 if v_top is the row's centre), dOut·centre and dOut·rest. */
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

/** The text that reads a field from the vectors `row_0` … `row_3`. */
export const rowField = (field: RowField): string => {
  const at = FIELDS.indexOf(field)
  return `row_${Math.floor(at / 4)}.${'xyzw'[at % 4]}`
}

/** Declares `row_0` … `row_3` of a query. Past the last query they are the vectors of the last one. */
export const loadRow = (query: string): string => `
      let row_at = (head * params.queries + min(${query}, params.queries - 1u)) * ${ROW_VECTORS}u;
      ${numbers(ROW_VECTORS)
        .map((i) => `let row_${i} = rows[row_at + ${i}u];`)
        .join('\n      ')}`

/** Declares NAME, where NAME[i] holds component i of four vectors: those at `at(0)` … `at(3)`. */
export const loadFour = (name: string, at: (i: number) => string): string =>
  `let ${name} = transpose(mat4x4<f32>(${numbers(4).map(at).join(', ')}));`

/** Declares `near` for four keys from `key` on: near[0] holds their λ, near[1] and near[2] their decay
 *  readings. Past the last key they are the values of the last one. */
export const loadKeys = (key: string): string =>
  loadFour('near', (i) => `keys[head * params.keys + min(${key} + ${i}u, params.keys - 1u)]`)

/** WGSL function `read_NAME(row, col)`: four neighbouring elements of a row with `valueDim` elements.
 *  Elements past the end of the row are 0. */
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

/** WGSL function `write_NAME(row, col, v)`: writes four neighbouring elements, but none past the end of the
 *  row. */
export const writeVector = (name: string, wide: boolean): string => `
fn write_${name}(row : u32, col : u32, v : vec4<f32>) {
  let width = params.valueDim;
  ${
    wide
      ? `if (col < width) { ${name}[(row * width + col) / 4u] = v; }`
      : `for (var i = 0u; i < 4u && col + i < width; i++) { ${name}[row * width + col + i] = v[i]; }`
  }
}`
