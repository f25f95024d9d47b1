import { BackendError } from '../../errors.ts'
import type { Handle } from '../engine.ts'

/** What a kernel does with a buffer. `read`: only reads it. `write`: writes all of it and does not need its
 *  old contents. `update`: changes a part and may read it. */
export type WgslAccess = 'read' | 'write' | 'update'

export interface WgslBuffer {
  readonly access: WgslAccess
  /** Type of `name[i]`; default f32. Buffers are aligned for both types. They may be longer than their
   *  tensor, so pass the length. */
  readonly element?: 'f32' | 'vec4<f32>'
}

export type WgslScalar = 'u32' | 'i32' | 'f32'

/** A hand-written compute kernel, for mode `webgpu` only. It replaces the gpu.js kernel of the same
 *  operation, on the same buffers and in the same order of calls. The declarations of `params` and of the
 *  buffers are generated and come before `code`. */
export interface WgslKernel {
  /** An identifier, shown in errors. */
  readonly name: string
  /** Fields of the uniform `params`, in the order of the launch. */
  readonly uniforms: Readonly<Record<string, WgslScalar>>
  /** Storage buffers, in the order of the launch; at most 8. i32 tensors appear as f32. */
  readonly buffers: Readonly<Record<string, WgslBuffer>>
  /** WGSL functions, with the entry point `main`. */
  readonly code: string
}

/** Enqueues one run over `groups` workgroups. A buffer that the run changes may appear only once. Exception:
 *  a buffer with access `write` may be read as well. */
export type WgslLaunch = (
  buffers: readonly Handle[],
  uniforms: readonly number[],
  groups: readonly [number, number, number],
) => void

const MAX_BUFFERS = 8
/** The most workgroups along an axis that every adapter allows. */
export const MAX_GROUPS = 65_535

/** Throws BackendError for a definition that a GPU would refuse. */
export function checkWgsl({ name, buffers }: WgslKernel): void {
  const count = Object.keys(buffers).length
  if (count > MAX_BUFFERS)
    throw new BackendError(`internal: ${name} must take at most ${MAX_BUFFERS} buffers, got ${count}`)
}

/** The declarations and the code of a kernel. */
export function wgslOf({ uniforms, buffers, code }: WgslKernel): string {
  const fields = Object.entries(uniforms).map(([name, type]) => `  ${name} : ${type},`)
  const declarations = Object.entries(buffers).map(
    ([name, { access, element = 'f32' }], i) =>
      `@group(0) @binding(${1 + i}) var<storage, ${access === 'read' ? 'read' : 'read_write'}> ${name} : array<${element}>;`,
  )
  return [
    ...['struct Params {', ...fields, '}', '@group(0) @binding(0) var<uniform> params : Params;'],
    ...declarations,
    code,
  ].join('\n')
}

/** The uniform block: 4 bytes per value, padded to a multiple of 16. */
export function uniformBytes({ name, uniforms }: WgslKernel, values: readonly number[]): Uint8Array {
  const types = Object.values(uniforms)
  if (values.length !== types.length)
    throw new BackendError(`internal: ${name} takes ${types.length} uniforms, got ${values.length}`)
  const view = new DataView(new ArrayBuffer(Math.ceil(Math.max(1, types.length) / 4) * 16))
  for (const [i, type] of types.entries()) {
    if (type === 'f32') view.setFloat32(4 * i, values[i], true)
    else if (type === 'u32') view.setUint32(4 * i, values[i], true)
    else view.setInt32(4 * i, values[i], true)
  }
  return new Uint8Array(view.buffer)
}

/** Workgroups for `threads` threads in groups of `size`, along x, and also along y if there are too many.
 *  With `@builtin(num_workgroups) groups` the number of a thread is `id.x + id.y * groups.x * size`. It may
 *  be past the end. */
export function linearGroups(threads: number, size: number): readonly [number, number, number] {
  const groups = Math.ceil(threads / size)
  const rows = Math.max(1, Math.ceil(groups / MAX_GROUPS))
  return [Math.ceil(groups / rows), rows, 1]
}
