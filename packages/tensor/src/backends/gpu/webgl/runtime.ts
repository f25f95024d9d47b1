import type { IKernelRunShortcut, KernelVariable, Texture } from 'gpu.js'
import { BackendError, DeviceLostError } from '../../../errors.ts'
import { type GpuJs, type GpuJsModule, kernelSettings } from '../gpu-js.ts'
import { type GpuKernel, type GpuOutput, sourceOf } from '../kernel.ts'
import type { BufferCounts, Compiled, Contents, GpuRuntime } from '../runtime.ts'
import { isSoftware } from '../software.ts'
import { fitTextures } from './texture-size.ts'

/** gpu.js's name for textures with one f32 per texel. */
const TEXTURE = 'ArrayTexture(1)'

/** A texture. Its first `length` texels hold the elements. */
class TextureContents implements Contents {
  readonly texture: Texture
  readonly length: number
  /** The integers that were uploaded. Kernels see them as f32, which cannot hold every integer. */
  readonly integers: Int32Array | undefined

  constructor(texture: Texture, length: number, integers?: Int32Array) {
    this.texture = texture
    this.length = length
    this.integers = integers
  }
}

const LOAD: GpuKernel = { name: 'load', args: { x: 'buffer' }, body: 'return x[this.thread.x]' }
const ZERO: GpuKernel = { name: 'zero', args: {}, body: 'return 0' }

/** A kernel, its current output sizes, and the texture that it drew to last. gpu.js makes a new texture
 *  whenever sizes are set. */
interface Sized {
  readonly run: IKernelRunShortcut
  output: string
  last: unknown
}

/** gpu.js on WebGL 2. Every element of a result is a pixel of a float texture, which stays on the GPU until
 *  it is read. */
export class WebGlRuntime implements GpuRuntime {
  readonly mode = 'webgl2'
  readonly adapter: string
  readonly isSoftware: boolean
  readonly maxBytes: number
  readonly limit = 'the square of WebGL’s MAX_TEXTURE_SIZE'
  readonly #gpu: GpuJs
  readonly #gl: WebGL2RenderingContext
  readonly #load: Sized
  readonly #zero: Sized
  readonly #store: Sized
  /** gpu.js's class for textures with one axis. */
  #flat: TextureClass | undefined
  #live = 0
  #liveBytes = 0

  /** Throws BackendError if the context cannot render to float textures. */
  constructor(module: GpuJsModule) {
    this.#gl = openContext()
    const max: number = this.#gl.getParameter(this.#gl.MAX_TEXTURE_SIZE)
    fitTextures(module, max)
    this.maxBytes = 4 * max * max
    this.adapter = rendererOf(this.#gl)
    this.isSoftware = isSoftware(this.adapter)
    this.#gpu = new module.GPU({ mode: 'webgl2', context: this.#gl, canvas: this.#gl.canvas })
    this.#load = this.#sized(LOAD, 1, 'Array')
    this.#zero = this.#sized(ZERO, 1)
    this.#store = this.#sized(LOAD, 1, TEXTURE, false)
  }

  get lost(): DeviceLostError | undefined {
    return this.#gl.isContextLost()
      ? new DeviceLostError(
          'gpu: WebGL must keep its context, got a lost context; open the device again and continue from a checkpoint',
        )
      : undefined
  }

  get buffers(): BufferCounts {
    return { live: this.#live, liveBytes: this.#liveBytes, pooled: 0, pooledBytes: 0 }
  }

  upload(values: Float32Array | Int32Array): Contents {
    const integers = values instanceof Int32Array ? values : undefined
    return this.#run(this.#load, [integers ? Float32Array.from(integers) : values], [values.length], integers)
  }

  zeros(length: number): Contents {
    return this.#run(this.#zero, [], [Math.max(1, length)])
  }

  async read(contents: Contents, length: number): Promise<Float32Array | Int32Array> {
    const { texture, integers } = textureOf(contents)
    if (integers) return integers.slice(0, length)
    if (length === 0) return new Float32Array(0)
    const values: unknown = this.#call(this.#store, [texture], [length])
    if (!(values instanceof Float32Array))
      throw new BackendError(`internal: gpu.js must return an array of f32, got ${typeof values}`)
    return values.slice(0, length)
  }

  release(contents: Contents): void {
    const { texture, length } = textureOf(contents)
    texture.delete()
    this.#live--
    this.#liveBytes -= 4 * length
  }

  compile(kernel: GpuKernel, rank: number): Compiled {
    const sized = this.#sized(kernel, rank)
    return (args, output) =>
      this.#run(
        sized,
        args.map((arg) => (typeof arg === 'number' ? arg : textureOf(arg).texture)),
        output,
      )
  }

  async destroy(): Promise<void> {
    await this.#gpu.destroy()
    this.#gl.getExtension('WEBGL_lose_context')?.loseContext()
  }

  #sized(kernel: GpuKernel, rank: number, buffers = TEXTURE, pipeline = true): Sized {
    const settings = kernelSettings(kernel, rank)
    const types = Object.entries(kernel.args).map(([name, kind]) => [
      name,
      kind === 'buffer' ? buffers : settings.argumentTypes[name],
    ])
    const run = this.#gpu.createKernel(sourceOf(kernel), {
      ...settings,
      argumentTypes: Object.fromEntries(types),
      pipeline,
      immutable: pipeline,
    })
    return { run, output: '', last: undefined }
  }

  #call(sized: Sized, args: readonly unknown[], output: GpuOutput): unknown {
    if (this.lost) throw this.lost
    const { run } = sized
    const sizes = output.join()
    // If an argument is the kernel's own last result, gpu.js draws to the texture before it. That texture may
    // have another size, and the result is wrong without an error. Setting the sizes makes a new texture.
    const isOwn = args.some((arg) => isTexture(arg) && pixelsOf(arg) === sized.last)
    if (sized.output !== sizes || isOwn) {
      run.setOutput([...output])
      sized.output = sizes
    }
    return run(...(args as KernelVariable[]))
  }

  #run(sized: Sized, args: readonly unknown[], output: GpuOutput, integers?: Int32Array): TextureContents {
    const texture: unknown = this.#call(sized, args, output)
    if (!isTexture(texture))
      throw new BackendError(`internal: gpu.js must return a texture, got ${typeof texture}`)
    sized.last = pixelsOf(texture)
    const length = output.reduce((product, n) => product * n, 1)
    this.#live++
    this.#liveBytes += 4 * length
    return new TextureContents(this.#flattened(texture), length, integers)
  }

  /** Gives all textures the class for one axis. gpu.js compiles a kernel again if an argument's number of
   *  axes changes, and it gives up if this happens too often. */
  #flattened(texture: Texture): Texture {
    if (!this.#flat) {
      const flat: unknown = this.#call(this.#zero, [], [1])
      if (!isTexture(flat)) throw new BackendError('internal: gpu.js must return a texture')
      this.#flat = flat.constructor as TextureClass
      flat.delete()
    }
    if (texture.constructor === this.#flat) return texture
    const flat = new this.#flat(texture)
    texture.delete()
    return flat
  }
}

/** Constructor of gpu.js's textures. It takes the settings of another texture and shares its pixels. */
type TextureClass = new (settings: Texture) => Texture

function openContext(): WebGL2RenderingContext {
  const canvas =
    typeof OffscreenCanvas === 'function'
      ? new OffscreenCanvas(1, 1)
      : typeof document === 'object'
        ? document.createElement('canvas')
        : undefined
  const gl = canvas?.getContext('webgl2', {
    alpha: false,
    depth: false,
    antialias: false,
    stencil: false,
  })
  if (!(typeof WebGL2RenderingContext === 'function' && gl instanceof WebGL2RenderingContext))
    throw new BackendError('gpu: mode webgl2 needs a browser with WebGL 2, got none; use mode webasm')
  if (!gl.getExtension('EXT_color_buffer_float'))
    throw new BackendError(
      'gpu: mode webgl2 needs float textures to render to (EXT_color_buffer_float), got none; use mode webasm',
    )
  return gl
}

function rendererOf(gl: WebGL2RenderingContext): string {
  const info = gl.getExtension('WEBGL_debug_renderer_info')
  return String(gl.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER))
}

const isTexture = (result: unknown): result is Texture =>
  typeof result === 'object' && result !== null && 'delete' in result && 'texture' in result

/** The WebGLTexture. gpu.js's types lack it. */
const pixelsOf = (texture: Texture): unknown => Reflect.get(texture, 'texture')

function textureOf(contents: Contents): TextureContents {
  if (contents instanceof TextureContents) return contents
  throw new BackendError('internal: contents must be those of a texture, got those of another mode')
}
