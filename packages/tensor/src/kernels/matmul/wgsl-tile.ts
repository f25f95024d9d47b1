import type { WgslKernel } from '../../backends/gpu/wgsl.ts'
import type { Epilogue } from './epilogue.ts'
import type { Layout } from './layout.ts'

/** A workgroup computes size × size elements of C. Each thread holds `rows` × `cols` of them in registers. */
export interface Tile {
  readonly size: number
  readonly rows: 4 | 8
  readonly cols: 4 | 8
}

/** Steps of k in workgroup memory at a time. With the tiles of `wgsl-plan.ts` each thread then loads one
 *  block of 4 × 4 elements: half of the threads load A and half B. Tiles of 128 × 128 fill the 16 KiB that
 *  every adapter has. */
export const DEPTH = 16

/** What a kernel does with a finished sum. */
export interface Finish {
  readonly accumulate: boolean
  readonly epilogue: Epilogue['kind'] | undefined
}

/** One kernel of the family. `wide…`: the rows of that matrix are multiples of 4 elements, so it is read or
 *  written as vec4. */
export interface Variant extends Finish {
  readonly layout: Layout
  readonly tile: Tile
  readonly wideA: boolean
  readonly wideB: boolean
  readonly wideOut: boolean
}

function nameOf({ layout, tile, wideA, wideB, wideOut, accumulate, epilogue }: Variant): string {
  const widths = [wideA, wideB, wideOut].map((wide) => (wide ? 4 : 1)).join('')
  return ['matmul', layout, tile.size, widths, ...(accumulate ? ['accumulate'] : []), epilogue]
    .filter((part) => part !== undefined)
    .join('_')
}

export const element = (wide: boolean) => (wide ? 'vec4<f32>' : 'f32')
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

/** Reads four elements of a row of an operand as it is stored, in rows of `width` elements; 0 beyond `rows`
 *  and `cols`. */
const readText = (name: 'a' | 'b', wide: boolean) => `
fn read_${name}(row : u32, col : u32, rows : u32, cols : u32, width : u32, first : u32) -> vec4<f32> {
  var v = vec4<f32>();
  if (row < rows && col < cols) {
    let at = first + row * width + col;
    ${
      wide
        ? `v = ${name}[at / 4u];`
        : `v.x = ${name}[at];
    if (col + 1u < cols) { v.y = ${name}[at + 1u]; }
    if (col + 2u < cols) { v.z = ${name}[at + 2u]; }
    if (col + 3u < cols) { v.w = ${name}[at + 3u]; }`
    }
  }
  return v;
}`

/** The thread's block of an operand, as four vectors along m or n, one for each of four steps of k. `side` is
 *  m or n. */
function fetchText(name: 'a' | 'b', side: 'm' | 'n', alongK: boolean, tile: Tile): string {
  const read = (i: number) =>
    alongK
      ? `read_${name}(line + ${i}u, depth, params.${side}, end, params.k, first)`
      : `read_${name}(depth + ${i}u, line, end, params.${side}, params.${side}, first)`
  const blocks = `mat4x4<f32>(${numbers(4).map(read).join(', ')})`
  // Neighbouring threads read neighbouring elements: along k, or along the side of the tile.
  const place = alongK
    ? { quad: `block / ${DEPTH / 4}u`, step: `block % ${DEPTH / 4}u` }
    : { quad: `block % ${tile.size / 4}u`, step: `block / ${tile.size / 4}u` }
  return `
fn quad_${name}(block : u32) -> u32 { return ${place.quad}; }
fn step_${name}(block : u32) -> u32 { return ${place.step}; }
fn fetch_${name}(block : u32, start : u32, from_k : u32, end : u32, first : u32) -> mat4x4<f32> {
  let line = start + 4u * quad_${name}(block);
  let depth = from_k + 4u * step_${name}(block);
  return ${alongK ? `transpose(${blocks})` : blocks};
}`
}

/** Statements that store a sum in C at an index. */
export function finishText({ accumulate, epilogue }: Finish, wide: boolean, v: string, at: string): string {
  const terms = [v, accumulate ? `out[${at}]` : '', epilogue === 'add' ? `residual[${at}]` : '']
  const zero = wide ? 'vec4<f32>()' : '0.0'
  // Not max(v, 0), because that may turn NaN into 0.
  const value = epilogue === 'reluSquared' ? `select(total * total, ${zero}, total < ${zero})` : 'total'
  return `let total = ${terms.filter((term) => term !== '').join(' + ')};
    out[${at}] = ${value};`
}

/** The buffers that {@link finishText} uses. */
export const finishBuffers = ({ accumulate, epilogue }: Finish, wide: boolean): WgslKernel['buffers'] => ({
  ...(epilogue === 'add' && { residual: { access: 'read', element: element(wide) } }),
  out: { access: accumulate ? 'update' : 'write', element: element(wide) },
})

/** Writes four elements of a row of C. */
const storeText = (variant: Variant): string => `
fn store(row : u32, col : u32, first : u32, v : vec4<f32>) {
  if (row >= params.m) { return; }
  ${
    variant.wideOut
      ? `if (col < params.n) {
    let at = (first + row * params.n + col) / 4u;
    ${finishText(variant, true, 'v', 'at')}
  }`
      : `for (var i = 0u; i < 4u && col + i < params.n; i++) {
    let at = first + row * params.n + col + i;
    ${finishText(variant, false, 'v[i]', 'at')}
  }`
  }
}`

const TILE_UNIFORMS = {
  m: 'u32',
  n: 'u32',
  k: 'u32',
  strideA: 'u32',
  strideB: 'u32',
  batch: 'u32',
  /** The first matrix of the batch in this launch. */
  first: 'u32',
  /** Number of parts of k. Each part is a separate product; they lie one after the other in `out`. `each` is
   *  the depth of a part. */
  parts: 'u32',
  each: 'u32',
} as const

/** C in tiles. Threads load the next slices of A and B while they multiply the current ones from workgroup
 *  memory. */
export function tiledMatmul(variant: Variant): WgslKernel {
  const { layout, tile, wideA, wideB, wideOut } = variant
  const { size, rows, cols } = tile
  const [across, down, quads] = [size / cols, size / rows, size / 4]
  const threads = across * down
  const half = threads / 2
  // A thread's rows and columns are groups of four that lie far apart, so neighbouring threads read
  // neighbouring vectors.
  const rowGroups = numbers(rows / 4)
  const colGroups = numbers(cols / 4)
  const sums = numbers(rows).flatMap((row) => colGroups.map((col) => ({ row, col })))
  const component = (i: number) => 'xyzw'[i % 4]
  const keep = (name: 'a' | 'b') =>
    numbers(4)
      .map((i) => `tile_${name}[at + ${i * quads}u] = next[${i}];`)
      .join('\n      ')
  return {
    name: nameOf(variant),
    uniforms: TILE_UNIFORMS,
    buffers: {
      a: { access: 'read', element: element(wideA) },
      b: { access: 'read', element: element(wideB) },
      ...finishBuffers(variant, wideOut),
    },
    code: `
var<workgroup> tile_a : array<vec4<f32>, ${DEPTH * quads}>;
var<workgroup> tile_b : array<vec4<f32>, ${DEPTH * quads}>;
${readText('a', wideA)}
${readText('b', wideB)}
${fetchText('a', 'm', layout !== 'tn', tile)}
${fetchText('b', 'n', layout === 'nt', tile)}
${storeText(variant)}

@compute @workgroup_size(${threads})
fn main(@builtin(local_invocation_index) thread : u32, @builtin(workgroup_id) id : vec3<u32>) {
  let row = id.y * ${size}u;
  let col = id.x * ${size}u;
  let batch = params.first + id.z / params.parts;
  let part = id.z % params.parts;
  let end = min(params.k, (part + 1u) * params.each);
  let first_a = batch * params.strideA;
  let first_b = batch * params.strideB;
  let brings_b = thread >= ${half}u;
  let block = thread % ${half}u;
  let x = thread % ${across}u;
  let y = thread / ${across}u;
  ${sums.map(({ row, col }) => `var c_${row}_${col} = vec4<f32>();`).join('\n  ')}
  let start = part * params.each;
  for (var depth = start; ; depth += ${DEPTH}u) {
    // Loaded while the current slices are multiplied; zeros at the end.
    var next : mat4x4<f32>;
    if (brings_b) { next = fetch_b(block, col, depth, end, first_b); } else { next = fetch_a(block, row, depth, end, first_a); }
    if (depth > start) {
      for (var step = 0u; step < ${DEPTH}u; step++) {
        let at = step * ${quads}u;
        ${rowGroups.map((i) => `let a_${i} = tile_a[at + y + ${i * down}u];`).join('\n        ')}
        ${colGroups.map((i) => `let b_${i} = tile_b[at + x + ${i * across}u];`).join('\n        ')}
        ${sums.map(({ row, col }) => `c_${row}_${col} += a_${Math.floor(row / 4)}.${component(row)} * b_${col};`).join('\n        ')}
      }
      workgroupBarrier();
    }
    if (depth >= end) { break; }
    if (brings_b) {
      let at = 4u * step_b(block) * ${quads}u + quad_b(block);
      ${keep('b')}
    } else {
      let at = 4u * step_a(block) * ${quads}u + quad_a(block);
      ${keep('a')}
    }
    workgroupBarrier();
  }
  let first = (part * params.batch + batch) * params.m * params.n;
  // In a loop, because the code of a store is long and compilers are slow.
  var sums = array<vec4<f32>, ${sums.length}>(${sums.map(({ row, col }) => `c_${row}_${col}`).join(', ')});
  for (var i = 0u; i < ${sums.length}u; i++) {
    let r = i / ${cols / 4}u;
    let c = i % ${cols / 4}u;
    store(row + 4u * (y + ${down}u * (r / 4u)) + r % 4u, col + 4u * (x + ${across}u * c), first, sums[i]);
  }
}`,
  }
}
