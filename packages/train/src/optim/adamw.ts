import { adamwUpdate, checkSameShape, globalNorm, type Tensor, zeros } from '@tau/tensor'
import type { NamedArray } from '@tau/tensor/files'

export interface AdamWOptions {
  readonly beta1: number
  readonly beta2: number
  readonly eps: number
  /** Decoupled decay, applied to parameters with two or more axes only. */
  readonly weightDecay: number
  /** Gradients are scaled so that their global norm is at most this; Infinity: never. */
  readonly gradClip: number
}

/** AdamW over named parameters, with clipping by the global norm in the same pass.
 *  Source: Loshchilov and Hutter, Decoupled Weight Decay Regularization (2019), algorithm 2. */
export class AdamW implements Disposable {
  readonly #parameters: ReadonlyMap<string, Tensor>
  readonly #options: AdamWOptions
  readonly #moments: ReadonlyMap<string, { readonly m: Tensor; readonly v: Tensor }>
  /** Updates done so far. */
  #steps = 0

  constructor(parameters: ReadonlyMap<string, Tensor>, options: AdamWOptions) {
    checkOptions(options)
    if (parameters.size === 0)
      throw new RangeError('AdamW: at least one parameter must be given, got none; pass model.parameters')
    this.#parameters = parameters
    this.#options = options
    this.#moments = new Map(
      Array.from(parameters, ([name, { device, shape }]) =>
        device.unscoped(() => [name, { m: zeros(device, shape), v: zeros(device, shape) }] as const),
      ),
    )
  }

  get steps(): number {
    return this.#steps
  }

  /** Updates every parameter in place from `grads`, which are in the order of the parameters. Returns the norm of all
   *  gradients before clipping (scalar). Where it is not finite no parameter and no moment is changed, but the step is
   *  counted: read the norm before the next step, and stop there. */
  step(grads: readonly Tensor[], lr: number): Tensor {
    if (grads.length !== this.#parameters.size)
      throw new RangeError(
        `AdamW: a gradient per parameter must be given, got ${grads.length} for ${this.#parameters.size}; pass what grad returned`,
      )
    const entries = Array.from(this.#parameters, ([name, parameter], i) => ({
      parameter,
      grad: grads[i],
      ...this.#moments.get(name)!,
    }))
    for (const { parameter, grad } of entries) checkSameShape('AdamW', parameter, grad)
    const norm = globalNorm(grads)
    this.#steps++
    const { gradClip, ...options } = this.#options
    for (const { parameter, grad, m, v } of entries)
      adamwUpdate(parameter, grad, m, v, norm, {
        ...options,
        lr,
        weightDecay: parameter.rank >= 2 ? options.weightDecay : 0,
        step: this.#steps,
        maxNorm: gradClip,
      })
    return norm
  }

  /** The moments as named arrays, `m.NAME` and `v.NAME`: with {@link steps} all that a resume needs. */
  async state(): Promise<Map<string, NamedArray>> {
    const arrays = new Map<string, NamedArray>()
    for (const [name, { m, v }] of this.#moments) {
      arrays.set(`m.${name}`, { shape: m.shape, data: await m.data() })
      arrays.set(`v.${name}`, { shape: v.shape, data: await v.data() })
    }
    return arrays
  }

  /** Takes up a saved state. Throws when an array is missing or of another size, or steps is no count; nothing is changed
   *  then. */
  restore(arrays: ReadonlyMap<string, NamedArray>, steps: number): void {
    if (!Number.isSafeInteger(steps) || steps < 0)
      throw new RangeError(`AdamW: steps must be a whole number of at least 0, got ${steps}`)
    const writes: [Tensor, Float32Array][] = []
    for (const [name, moments] of this.#moments)
      for (const kind of ['m', 'v'] as const) {
        const array = arrays.get(`${kind}.${name}`)
        const target = moments[kind]
        if (!(array?.data instanceof Float32Array) || array.data.length !== target.size)
          throw new Error(
            `AdamW: saved state must hold ${kind}.${name} of ${target.size} floats, got ${describe(array)}; the checkpoint belongs to another model`,
          )
        writes.push([target, array.data])
      }
    for (const [target, data] of writes) target.write(data)
    this.#steps = steps
  }

  [Symbol.dispose](): void {
    for (const { m, v } of this.#moments.values()) {
      m.dispose()
      v.dispose()
    }
  }
}

const describe = (array: NamedArray | undefined): string =>
  array
    ? `${array.data.length} ${array.data instanceof Float32Array ? 'floats' : `of ${array.data.constructor.name}`}`
    : 'no such array'

function checkOptions({ beta1, beta2, eps, weightDecay, gradClip }: AdamWOptions): void {
  for (const [name, beta] of Object.entries({ beta1, beta2 }))
    if (!(beta >= 0 && beta < 1))
      throw new RangeError(`AdamW: ${name} must be at least 0 and below 1, got ${beta}`)
  for (const [name, value] of Object.entries({ eps, weightDecay }))
    if (!(value >= 0 && Number.isFinite(value)))
      throw new RangeError(`AdamW: ${name} must be a finite number of at least 0, got ${value}`)
  if (eps < 1e-38) throw new RangeError(`AdamW: eps must be at least 1e-38 to be above 0 in f32, got ${eps}`)
  if (!(gradClip > 0))
    throw new RangeError(`AdamW: gradClip must be above 0, got ${gradClip}; use Infinity for no clipping`)
}
