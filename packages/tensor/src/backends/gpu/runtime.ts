import type { DeviceLostError } from '../../errors.ts'
import type { GpuKernel, GpuOutput } from './kernel.ts'
import type { WgslKernel } from './wgsl.ts'

/** Where gpu.js runs kernels: on a GPU through WebGPU or WebGL 2, in WebAssembly that it generates, or in
 *  plain JavaScript. */
export const GPU_MODES = ['webgpu', 'webgl2', 'webasm', 'cpu'] as const
export type GpuMode = (typeof GPU_MODES)[number]

/** Which kernels mode `webgpu` runs. `tuned`: hand-written WGSL kernels if there are any. `portable`: only
 *  the gpu.js kernels, as all other modes do. */
export type KernelChoice = 'tuned' | 'portable'

/** The contents of a buffer in the form of the mode: an array, a GPUBuffer, or a texture. Only the runtime
 *  that made them looks inside. */
export interface Contents {
  /** Elements. */
  readonly length: number
}

/** Runs a kernel on contents and numbers, in the order of its definition. Returns new contents of the whole
 *  output. It returns a promise only if something has to be compiled or if the mode computes
 *  asynchronously. */
export type Compiled = (
  args: readonly (number | Contents)[],
  output: GpuOutput,
) => Contents | Promise<Contents>

/** Runs a hand-written kernel on contents, in the order of its definition. Returns a promise only while the
 *  kernel is compiled. */
export type CompiledWgsl = (
  buffers: readonly Contents[],
  uniforms: readonly number[],
  groups: readonly [number, number, number],
) => void | Promise<void>

/** What hand-written kernels need. */
export interface WgslRuntime {
  compile(kernel: WgslKernel): CompiledWgsl
  /** Contents with arbitrary values, for a kernel that writes all of them. */
  unwritten(length: number): Contents
}

/** Buffers in a GPU's memory. */
export interface BufferCounts {
  readonly live: number
  readonly liveBytes: number
  /** Buffers that were freed and are kept for the next buffers of their size. */
  readonly pooled: number
  readonly pooledBytes: number
}

/** What was sent to a GPU and back since the runtime was opened. */
export interface GpuTraffic {
  /** Runs of kernels. */
  readonly calls: number
  /** Bytes of tensors. */
  readonly uploadedBytes: number
  /** Bytes of kernel arguments that are numbers. */
  readonly uniformBytes: number
  readonly readBytes: number
}

/** One of gpu.js's modes, as the engine sees it. Calls come one at a time. The work that they start on a GPU
 *  runs in the order of the calls. */
export interface GpuRuntime {
  readonly mode: GpuMode
  /** The GPU's own name. */
  readonly adapter?: string | undefined
  /** Whether the GPU is emulated by the CPU. */
  readonly isSoftware?: boolean
  /** The most bytes that a buffer can have, and what sets this limit. */
  readonly maxBytes: number
  readonly limit: string
  /** Set once the GPU is lost. */
  readonly lost?: DeviceLostError | undefined
  /** Counts of the buffers on the GPU; undefined if results are arrays. */
  readonly buffers?: BufferCounts | undefined
  /** Undefined if results are arrays. */
  readonly traffic?: GpuTraffic | undefined
  /** Takes over the array. Kernels see integers as f32; reads return the integers unchanged. */
  upload(values: Float32Array | Int32Array): Contents
  zeros(length: number): Contents
  /** A copy of the first `length` elements, as they are at this call. */
  read(contents: Contents, length: number): Promise<Float32Array | Int32Array>
  release(contents: Contents): void
  /** Compiles a kernel for outputs with `rank` axes. The sizes of outputs and buffers may change from call to
   *  call. */
  compile(kernel: GpuKernel, rank: number): Compiled
  /** Only in mode `webgpu`. */
  readonly wgsl?: WgslRuntime | undefined
  /** Called when no more work waits; collected work may start. */
  flush?(): void
  destroy(): Promise<void>
}
