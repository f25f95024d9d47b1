import { described } from '../errors.ts'
import { checkSameShape } from '../kernels/check.ts'
import { zeros } from '../kernels/fill/fill.ts'
import { globalNorm } from '../kernels/global-norm/global-norm.ts'
import { type Shape, sizeOf } from '../shape.ts'
import type { Tensor } from '../tensor.ts'
import { type Parameter, parametersOf } from './groups.ts'
import type { CommonOptions, NamedTensors, Optimizer, OptimizerState } from './optimizer.ts'
import { type OptionSpecs, type OptionValues, resolveOptions } from './options.ts'

/** How an optimizer changes one parameter. {@link RuleOptimizer} does everything that optimizers have in
 *  common. */
export interface UpdateRule<Specs extends OptionSpecs = OptionSpecs> {
  /** Name in checkpoints and configuration files: `adamw`. */
  readonly name: string
  /** Name in errors: `AdamW`. */
  readonly title: string
  /** One line of help. */
  readonly help: string
  readonly options: Specs
  /** Shapes of the arrays that are kept for a parameter from step to step, by name. The arrays start at 0.
   *  Throws if the rule cannot update this parameter. */
  slots(parameter: Parameter, options: OptionValues<Specs>): Readonly<Record<string, Shape>>
  /** Changes the parameter and its slots in place. If the norm is not finite, it changes nothing. */
  update(target: UpdateTarget, step: UpdateStep, options: OptionValues<Specs>): void
}

/** A parameter with the tensors that its update reads and writes. */
export interface UpdateTarget {
  readonly parameter: Parameter
  readonly grad: Tensor
  /** The arrays of the parameter, by the names from `slots`. */
  readonly slots: Readonly<Record<string, Tensor>>
  /** Global norm of all gradients, one number. */
  readonly norm: Tensor
}

/** Numbers of one update of one parameter. */
export interface UpdateStep {
  /** Learning rate times the parameter's own factor. */
  readonly lr: number
  /** Counts from 1. */
  readonly step: number
  /** Gradients are scaled by min(1, maxNorm / (norm + 1e-6)). */
  readonly maxNorm: number
}

/** An optimizer that updates each parameter by a rule. It adds groups, clipping by the global norm, and
 *  state. */
export class RuleOptimizer<Specs extends OptionSpecs> implements Optimizer {
  readonly #rule: UpdateRule<Specs>
  readonly #options: OptionValues<Specs>
  readonly #maxNorm: number
  readonly #entries: readonly { readonly parameter: Parameter; readonly slots: Record<string, Tensor> }[]
  #steps = 0

  /** @param options options of every optimizer, and the rule's own options */
  constructor(
    rule: UpdateRule<Specs>,
    parameters: NamedTensors,
    options: CommonOptions & Partial<OptionValues<Specs>>,
  ) {
    const { weightDecay, gradClip = Number.POSITIVE_INFINITY, groups, ...own } = options
    this.#rule = rule
    this.#options = resolveOptions(rule.title, rule.options, own)
    if (!(gradClip > 0))
      throw new RangeError(
        `${rule.title}: gradClip must be above 0, got ${gradClip}; use Infinity for no clipping`,
      )
    this.#maxNorm = gradClip
    // Check all parameters before allocating anything.
    const shapes = parametersOf(rule.title, parameters, { weightDecay, groups }).map((parameter) => ({
      parameter,
      shapes: Object.entries(rule.slots(parameter, this.#options)),
    }))
    this.#entries = shapes.map(({ parameter, shapes }) => {
      const { device } = parameter.tensor
      return {
        parameter,
        slots: device.unscoped(() =>
          Object.fromEntries(shapes.map(([name, shape]) => [name, zeros(device, shape)])),
        ),
      }
    })
  }

  get name(): string {
    return this.#rule.name
  }

  get steps(): number {
    return this.#steps
  }

  get bytes(): number {
    return 4 * Array.from(this.#slots()).reduce((sum, [, { size }]) => sum + size, 0)
  }

  step(grads: readonly Tensor[], lr: number): Tensor {
    const { title } = this.#rule
    if (!Array.isArray(grads))
      throw new TypeError(
        `${title}: gradients must be an array, got ${described(grads)}; pass what grad returned`,
      )
    if (!Number.isFinite(lr))
      throw new RangeError(
        `${title}: the learning rate must be a finite number, got ${lr}; write step(grads, lr)`,
      )
    if (grads.length !== this.#entries.length)
      throw new RangeError(
        `${title}: grads must hold one gradient per parameter, got ${grads.length} for ${this.#entries.length}; pass what grad returned`,
      )
    for (const [i, { parameter }] of this.#entries.entries())
      checkSameShape(title, parameter.tensor, grads[i])
    const norm = globalNorm(grads)
    this.#steps++
    for (const [i, { parameter, slots }] of this.#entries.entries())
      this.#rule.update(
        { parameter, slots, grad: grads[i], norm },
        { lr: lr * parameter.lrScale, step: this.#steps, maxNorm: this.#maxNorm },
        this.#options,
      )
    return norm
  }

  async state(): Promise<OptimizerState> {
    const tensors = new Map()
    for (const [name, tensor] of this.#slots())
      tensors.set(name, { shape: tensor.shape, data: await tensor.data() })
    return { optimizer: this.name, counts: { steps: this.#steps }, tensors }
  }

  restore({ optimizer, counts: { steps }, tensors }: OptimizerState): void {
    const { title } = this.#rule
    if (optimizer !== this.name)
      throw new Error(
        `${title}: saved state must be of ${this.name}, got state of ${optimizer}; continue with ${optimizer}`,
      )
    if (!Number.isSafeInteger(steps) || steps < 0)
      throw new RangeError(`${title}: steps must be a whole number of at least 0, got ${steps}`)
    const writes = Array.from(this.#slots(), ([name, target]): [Tensor, Float32Array] => {
      const array = tensors.get(name)
      if (!(array?.data instanceof Float32Array) || array.data.length !== sizeOf(target.shape)) {
        const kind = array?.data instanceof Float32Array ? 'floats' : `of ${array?.data.constructor.name}`
        throw new Error(
          `${title}: saved state must hold ${name} of ${target.size} floats, got ${array ? `${array.data.length} ${kind}` : 'no such array'}; the checkpoint belongs to another model`,
        )
      }
      return [target, array.data]
    })
    for (const [target, data] of writes) target.write(data)
    this.#steps = steps
  }

  [Symbol.dispose](): void {
    for (const [, tensor] of this.#slots()) tensor.dispose()
  }

  /** Every tensor of the state by its name: `m.NAME`. */
  *#slots(): Generator<[string, Tensor]> {
    for (const { parameter, slots } of this.#entries)
      for (const [slot, tensor] of Object.entries(slots)) yield [`${slot}.${parameter.name}`, tensor]
  }
}
