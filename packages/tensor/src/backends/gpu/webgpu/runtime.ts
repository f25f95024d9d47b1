import { BackendError, type DeviceLostError } from '../../../errors.ts'
import type { GpuJs } from '../gpu-js.ts'
import type { GpuKernel, GpuOutput } from '../kernel.ts'
import type {
  BufferCounts,
  Compiled,
  CompiledWgsl,
  Contents,
  GpuRuntime,
  GpuTraffic,
  KernelChoice,
  WgslRuntime,
} from '../runtime.ts'
import { isSoftware } from '../software.ts'
import { linearGroups, uniformBytes, type WgslKernel, wgslOf } from '../wgsl.ts'
import { Commands } from './commands.ts'
import { adapterText, type WebGpuContext } from './open.ts'
import { impatiently, patiently, type Wait } from './patiently.ts'
import { type Pipeline, pipelineOf } from './pipeline.ts'
import { type ParamsLayout, translate, WORKGROUP } from './translate.ts'

/** A GPUBuffer. Its first `length` f32 hold the elements. */
class BufferContents implements Contents {
  readonly buffer: GPUBuffer
  readonly length: number
  /** The integers that were uploaded, until a kernel changes them. An f32 cannot hold every integer. */
  integers: Int32Array | undefined

  constructor(buffer: GPUBuffer, length: number, integers?: Int32Array) {
    this.buffer = buffer
    this.length = length
    this.integers = integers
  }
}

/** gpu.js on WebGPU. gpu.js translates kernels and provides the device. We make pipelines, dispatches and
 *  buffers, and keep their order. So nothing is read back between kernels, buffers are reused, and one
 *  submission holds many kernels. */
export class WebGpuRuntime implements GpuRuntime {
  readonly mode = 'webgpu'
  readonly adapter: string
  readonly isSoftware: boolean
  readonly maxBytes: number
  readonly limit = 'the adapter’s maxStorageBufferBindingSize and maxBufferSize'
  readonly wgsl: WgslRuntime | undefined
  readonly #commands: Commands
  readonly #wait: Wait
  readonly #gpu: GpuJs
  /** Compiled kernels by definition; one serves every number of axes. */
  readonly #compiled = new Map<GpuKernel, Compiled>()

  constructor(gpu: GpuJs, { adapter, device }: WebGpuContext, kernels: KernelChoice = 'tuned') {
    this.#gpu = gpu
    this.adapter = adapterText(adapter)
    this.isSoftware = adapter.info.isFallbackAdapter || isSoftware(this.adapter)
    const { maxStorageBufferBindingSize, maxBufferSize } = device.limits
    this.maxBytes = Math.min(maxStorageBufferBindingSize, maxBufferSize)
    this.#wait = this.isSoftware ? patiently : impatiently
    this.#commands = new Commands(device, this.#wait)
    if (kernels === 'tuned')
      this.wgsl = {
        compile: (kernel) => this.#compileWgsl(kernel),
        unwritten: (length) => this.#unwritten(length),
      }
  }

  get traffic(): GpuTraffic {
    return this.#commands.traffic
  }

  get lost(): DeviceLostError | undefined {
    return this.#commands.lost
  }

  get buffers(): BufferCounts {
    return this.#commands.counts
  }

  upload(values: Float32Array | Int32Array): Contents {
    const buffer = this.#commands.acquire(values.byteLength)
    this.#commands.upload(buffer, new Float32Array(values))
    return new BufferContents(buffer, values.length, values instanceof Int32Array ? values : undefined)
  }

  zeros(length: number): Contents {
    return new BufferContents(this.#commands.acquireZeros(length * 4), Math.max(1, length))
  }

  async read(contents: Contents, length: number): Promise<Float32Array | Int32Array> {
    const { buffer, integers } = bufferOf(contents)
    return integers ? integers.slice(0, length) : this.#commands.read(buffer, length * 4)
  }

  release(contents: Contents): void {
    this.#commands.release(bufferOf(contents).buffer)
  }

  compile(kernel: GpuKernel): Compiled {
    const known = this.#compiled.get(kernel)
    if (known) return known
    const { code, params } = translate(this.#gpu, kernel)
    const buffers = [...params.arrayArgs.map(() => 'read-only-storage' as const), 'storage' as const]
    const pipeline = once(() => pipelineOf(this.#commands.device, this.#wait, code, buffers))
    const compiled: Compiled = (args, output) =>
      pipeline((built) => this.#dispatch(built, params, args, output))
    this.#compiled.set(kernel, compiled)
    return compiled
  }

  flush(): void {
    this.#commands.flush()
  }

  async destroy(): Promise<void> {
    this.#commands.destroy()
    await this.#gpu.destroy()
    await this.#commands.settle()
  }

  #compileWgsl(kernel: WgslKernel): CompiledWgsl {
    const isRead = Object.values(kernel.buffers).map(({ access }) => access === 'read')
    const types = isRead.map((read) => (read ? ('read-only-storage' as const) : ('storage' as const)))
    const pipeline = once(() => pipelineOf(this.#commands.device, this.#wait, wgslOf(kernel), types))
    return (contents, values, groups) =>
      pipeline((built) => {
        this.#checkGroups(kernel, groups)
        const buffers = contents.map((each, i) => {
          const target = bufferOf(each)
          if (!isRead[i]) target.integers = undefined
          return target.buffer
        })
        if (Math.min(...groups) === 0) return
        this.#commands.dispatch({ ...built, uniforms: uniformBytes(kernel, values), buffers, groups })
      })
  }

  #dispatch(
    built: Pipeline,
    { byteLength, arrayArgs, scalarArgs }: ParamsLayout,
    args: readonly (number | Contents)[],
    output: GpuOutput,
  ): Contents {
    const [x, y = 1, z = 1] = output
    const uniforms = new DataView(new ArrayBuffer(byteLength))
    for (const [i, size] of [x, y, z].entries()) uniforms.setUint32(4 * i, size, true)
    const buffers: GPUBuffer[] = []
    for (const { index, dimsOffset } of arrayArgs) {
      const { buffer, length } = bufferOf(args[index])
      buffers.push(buffer)
      for (const [i, size] of [length, 1, 1, length].entries())
        uniforms.setUint32(dimsOffset + 4 * i, size, true)
    }
    for (const { index, offset, type } of scalarArgs) {
      const value = Number(args[index])
      if (type === 'Integer') uniforms.setInt32(offset, value, true)
      else uniforms.setFloat32(offset, value, true)
    }
    const result = this.#unwritten(x * y * z)
    this.#commands.dispatch({
      ...built,
      uniforms: new Uint8Array(uniforms.buffer),
      buffers: [...buffers, result.buffer],
      groups: linearGroups(x * y * z, WORKGROUP),
    })
    return result
  }

  #unwritten(length: number): BufferContents {
    return new BufferContents(this.#commands.acquire(length * 4), Math.max(1, length))
  }

  #checkGroups({ name }: WgslKernel, groups: readonly number[]): void {
    const { maxComputeWorkgroupsPerDimension: most } = this.#commands.device.limits
    if (Math.max(...groups) > most)
      throw new BackendError(
        `an axis must take at most ${most} workgroups (the adapter’s maxComputeWorkgroupsPerDimension), got [${groups.join(', ')}] for ${name}; use a smaller batch, length or model`,
      )
  }
}

/** Makes something at the first call and waits for it. Later calls use it at once. */
function once<T>(make: () => Promise<T>): <R>(use: (made: T) => R) => R | Promise<R> {
  let made: T | undefined
  return (use) =>
    made === undefined
      ? make().then((value) => {
          made = value
          return use(value)
        })
      : use(made)
}

function bufferOf(contents: number | Contents): BufferContents {
  if (contents instanceof BufferContents) return contents
  throw new BackendError('internal: contents must be those of a GPUBuffer, got something else')
}
