import type { Handle } from '../engine.ts'
import type { GpuEngine } from './engine.ts'
import { linearGroups, type WgslBuffer, type WgslKernel, type WgslScalar } from './wgsl.ts'
import { wgslForms } from './wgsl-forms.ts'
import { foldWgsl } from './wgsl-text.ts'

/** Threads for a row: few where it is short, so that each has something to do; many where it is long, so that enough of it is on its way
 *  from memory at a time. */
const FEW = 32
const MANY = 256
const LONG = 2048

/** A kernel with a workgroup to each row of a matrix. */
export interface RowKernel {
  readonly name: string
  /** Besides `rows` and `cols`, which come first. */
  readonly uniforms?: Readonly<Record<string, WgslScalar>>
  readonly buffers: Readonly<Record<string, WgslBuffer>>
  /** Functions. */
  readonly helpers?: string
  /** What is done for `row`, by all threads: `thread` is their number. */
  readonly body: string
}

/** A loop over the columns of a thread, `col`. Neighbours read neighbouring columns. */
export const overColumns = (body: string): string => `
  for (var col = thread; col < params.cols; col += row_threads) {
    ${body}
  }`

function rowKernel({ name, uniforms, buffers, helpers = '', body }: RowKernel, threads: number): WgslKernel {
  return {
    name: `${name}_${threads}`,
    uniforms: { rows: 'u32', cols: 'u32', ...uniforms },
    buffers,
    code: `
const row_threads = ${threads}u;
${foldWgsl(threads)}
${helpers}
@compute @workgroup_size(${threads})
fn main(
  @builtin(local_invocation_index) thread : u32,
  @builtin(workgroup_id) id : vec3<u32>,
  @builtin(num_workgroups) groups : vec3<u32>,
) {
  let row = id.x + id.y * groups.x;
  if (row >= params.rows) { return; }
  ${body}
}`,
  }
}

/** Enqueues a run over rows; `uniforms` are those after `rows` and `cols`. */
export type RowLaunch = (
  buffers: readonly Handle[],
  rows: number,
  cols: number,
  uniforms?: readonly number[],
) => void

/** The launcher of a kernel of rows. Its text has `sum_of` and `max_of` ({@link foldWgsl}). */
export function rowsWgsl(engine: GpuEngine, kernel: RowKernel): RowLaunch {
  const launchOf = wgslForms(engine, (threads: number) => rowKernel(kernel, threads))
  return (buffers, rows, cols, uniforms = []) =>
    launchOf(cols < LONG ? FEW : MANY)(buffers, [rows, cols, ...uniforms], linearGroups(rows, 1))
}
