import type { Handle } from '../engine.ts'
import type { GpuEngine } from './engine.ts'
import { linearGroups, type WgslBuffer, type WgslKernel, type WgslScalar } from './wgsl.ts'
import { wgslForms } from './wgsl-forms.ts'
import { foldWgsl } from './wgsl-text.ts'

/** Threads per row. Short rows get few, so that each thread has work. Long rows get many, so that enough
 *  memory reads are in flight. */
const FEW = 32
const MANY = 256
const LONG = 2048

/** A kernel with one workgroup per row of a matrix. */
export interface RowKernel {
  readonly name: string
  /** Uniforms besides `rows` and `cols`, which come first. */
  readonly uniforms?: Readonly<Record<string, WgslScalar>>
  readonly buffers: Readonly<Record<string, WgslBuffer>>
  /** WGSL functions. */
  readonly helpers?: string
  /** WGSL that all threads run for `row`; `thread` is the thread's number. */
  readonly body: string
}

/** A loop over the columns `col` of a thread. Neighbouring threads read neighbouring columns. */
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

/** Enqueues a run over rows. `uniforms` follow `rows` and `cols`. */
export type RowLaunch = (
  buffers: readonly Handle[],
  rows: number,
  cols: number,
  uniforms?: readonly number[],
) => void

/** The launcher of a row kernel. Its text may call `sum_of` and `max_of` ({@link foldWgsl}). */
export function rowsWgsl(engine: GpuEngine, kernel: RowKernel): RowLaunch {
  const launchOf = wgslForms(engine, (threads: number) => rowKernel(kernel, threads))
  return (buffers, rows, cols, uniforms = []) =>
    launchOf(cols < LONG ? FEW : MANY)(buffers, [rows, cols, ...uniforms], linearGroups(rows, 1))
}
