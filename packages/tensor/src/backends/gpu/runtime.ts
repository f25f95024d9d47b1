import type { DeviceLostError } from '../../errors.ts'
import type { GpuKernel, GpuOutput } from './kernel.ts'
import type { WgslKernel } from './wgsl.ts'

/** Where gpu.js runs kernels: on a GPU by WebGPU or WebGL 2, in WebAssembly it generates, or in plain JavaScript. */
export const GPU_MODES = ['webgpu', 'webgl2', 'webasm', 'cpu'] as const
export type GpuMode = (typeof GPU_MODES)[number]

/** What mode `webgpu` runs: kernels written for it by hand where there are any, or those of gpu.js alone, as all other modes do. */
export type KernelChoice = 'tuned' | 'portable'

/** What a buffer holds, where the mode keeps it: an array, a GPUBuffer, a texture. Only the runtime that made it looks inside. */
export interface Contents {
  /** Elements. */
  readonly length: number
}

/** Runs a kernel on contents and numbers, in the order of its definition. The result is new contents of all of the output;
 *  a promise only while something has to be compiled or comes later by nature. */
export type Compiled = (
  args: readonly (number | Contents)[],
  output: GpuOutput,
) => Contents | Promise<Contents>

/** Runs a hand-written kernel on contents, in the order of its definition. A promise only while it is compiled. */
export type CompiledWgsl = (
  buffers: readonly Contents[],
  uniforms: readonly number[],
  groups: readonly [number, number, number],
) => void | Promise<void>

/** What hand-written kernels need. */
export interface WgslRuntime {
  compile(kernel: WgslKernel): CompiledWgsl
  /** Contents with whatever is in them, for a kernel that writes all of it. */
  unwritten(length: number): Contents
}

/** Buffers in a GPU's memory. */
export interface BufferCounts {
  readonly live: number
  readonly liveBytes: number
  /** Freed and kept for the next ones of their size. */
  readonly pooled: number
  readonly pooledBytes: number
}

/** What went over to a GPU and back since it was opened. */
export interface GpuTraffic {
  /** Runs of kernels. */
  readonly calls: number
  /** Contents of tensors. */
  readonly uploadedBytes: number
  /** Arguments of kernels that are numbers. */
  readonly uniformBytes: number
  readonly readBytes: number
}

/** One of gpu.js's modes, as the engine sees it. Calls come in order, one at a time; whatever they start on a GPU runs in that
 *  order too. */
export interface GpuRuntime {
  readonly mode: GpuMode
  /** What the GPU calls itself. */
  readonly adapter?: string | undefined
  /** Whether that is a program on the CPU. */
  readonly isSoftware?: boolean
  /** Most bytes that a buffer can have, and what sets the limit. */
  readonly maxBytes: number
  readonly limit: string
  /** Set once the GPU is gone. */
  readonly lost?: DeviceLostError | undefined
  /** Counts of buffers on the GPU; undefined where results are arrays. */
  readonly buffers?: BufferCounts | undefined
  /** undefined where results are arrays. */
  readonly traffic?: GpuTraffic | undefined
  /** Takes the array over. Kernels see integers as f32, reads get them back as they were. */
  upload(values: Float32Array | Int32Array): Contents
  zeros(length: number): Contents
  /** A copy of the first `length` elements, as they are at this call. */
  read(contents: Contents, length: number): Promise<Float32Array | Int32Array>
  release(contents: Contents): void
  /** Compiles for outputs with `rank` axes: their sizes, and those of the buffers, may change from call to call. */
  compile(kernel: GpuKernel, rank: number): Compiled
  /** Only in mode `webgpu`. */
  readonly wgsl?: WgslRuntime | undefined
  /** Nothing more comes for now: what was collected may start. */
  flush?(): void
  destroy(): Promise<void>
}
