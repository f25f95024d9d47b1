import type { Device } from '../device.ts'
import type { DType } from '../dtype.ts'
import { described, ShapeError, shapeText } from '../errors.ts'
import { addInto } from '../kernels/accumulate/accumulate.ts'
import { checkDevice, checkTensor, checkTensorList } from '../kernels/check.ts'
import { fill } from '../kernels/fill/fill.ts'
import { kernelsOf } from '../kernels/table.ts'
import { sameShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** Maps the gradient of an operation's output to the gradients of its inputs, in their order. If `wanted[i]`
 *  is false, no gradient of input i is needed: return null there and skip the work. Gradients are new tensors
 *  or `dOut.view()`, never `dOut` itself. */
export type Backward = (dOut: Tensor, wanted: readonly boolean[]) => readonly (Tensor | null)[]

export interface Entry {
  readonly op: string
  readonly inputs: readonly Tensor<DType>[]
  readonly output: Tensor
  readonly backward: Backward
}

/** The open tape, as operations and new tensors see it. */
export interface Recorder {
  /** Whether the tensor may need a gradient. */
  tracks(tensor: Tensor<DType>): boolean
  add(entry: Entry): void
  /** Called with every tensor that a scope adopts. */
  made(tensor: Tensor<DType>): void
}

export interface TapeOptions {
  /** Frees tensors during the backward pass, as soon as no gradient needs them. This covers all tensors that
   *  a scope adopted while the tape recorded, except the value. Default false: they live until their scope
   *  closes. */
  readonly freeIntermediates?: boolean
}

/** A list of the operations that ran since it was opened and depend on the watched tensors. It is walked
 *  backwards once. */
export class Tape implements Recorder, Disposable {
  readonly #device: Device
  readonly #watched: readonly Tensor[]
  readonly #tracked: Set<Tensor<DType>>
  /** Each entry with the number of tensors made before the previous entry. No earlier entry can use the
   *  tensors made after that. */
  readonly #entries: { readonly entry: Entry; readonly before: number }[] = []
  readonly #frees: boolean
  readonly #made: Tensor<DType>[] = []
  #before = 0

  constructor(device: Device, watched: readonly Tensor[], options: TapeOptions = {}) {
    if (device.tape) throw new Error('tape: a device records one tape at a time; close the open one first')
    this.#device = device
    this.#watched = watched
    this.#frees = options.freeIntermediates === true
    this.#tracked = new Set(watched)
    device.tape = this
  }

  tracks(tensor: Tensor<DType>): boolean {
    return this.#tracked.has(tensor)
  }

  add(entry: Entry): void {
    this.#tracked.add(entry.output)
    this.#entries.push({ entry, before: this.#before })
    this.#before = this.#made.length
  }

  made(tensor: Tensor<DType>): void {
    if (this.#frees) this.#made.push(tensor)
  }

  /** Gradients of the scalar `loss` for the watched tensors, in their order; zeros for a tensor on which the
   *  loss does not depend. With `dOut`, the gradient of something that depends on `loss`, `loss` may have any
   *  shape. The tape can be used once. Gradients of gradients are not supported. */
  backward(loss: Tensor, dOut?: Tensor): Tensor[] {
    if (dOut === undefined && loss.size !== 1)
      throw new ShapeError(
        `backward: loss must hold one element, got ${shapeText(loss.shape)}; take its mean or sum`,
      )
    this.#stop()
    const grads = new Map<Tensor<DType>, Tensor>()
    if (this.#tracked.has(loss)) grads.set(loss, dOut?.view() ?? fill(this.#device, loss.shape, 1))
    for (let last = this.#entries.pop(); last; last = this.#entries.pop()) {
      const { entry, before } = last
      const gradient = grads.get(entry.output)
      if (gradient) {
        this.#propagate(entry, gradient, grads)
        grads.delete(entry.output)
        gradient.dispose()
      }
      this.#free(before, loss)
    }
    this.#free(0, loss)
    return this.#watched.map((tensor) => grads.get(tensor) ?? fill(this.#device, tensor.shape, 0))
  }

  /** Frees all tensors made after the first `count`, except the loss. */
  #free(count: number, loss: Tensor): void {
    for (const tensor of this.#made.splice(count)) if (tensor !== loss) tensor.dispose()
  }

  #propagate(entry: Entry, dOut: Tensor, grads: Map<Tensor<DType>, Tensor>): void {
    using scope = this.#device.scope()
    const wanted = entry.inputs.map((input) => this.#tracked.has(input))
    const dInputs = entry.backward(dOut, wanted)
    entry.inputs.forEach((input, i) => {
      const dInput = dInputs[i]
      if (!wanted[i] || !dInput) return
      if (!sameShape(input.shape, dInput.shape))
        throw new ShapeError(
          `internal: gradient ${i} of ${entry.op} must be ${shapeText(input.shape)}, got ${shapeText(dInput.shape)}`,
        )
      const before = grads.get(input)
      if (!before) grads.set(input, scope.keep(dInput))
      else if (before.exclusive) addInto(before, dInput)
      else {
        const sum = copyOf(before) // gives the bits of adding in place, also for the sign of 0
        addInto(sum, dInput)
        before.dispose()
        grads.set(input, scope.keep(sum))
      }
    })
  }

  #stop(): void {
    if (this.#device.tape === this) this.#device.tape = undefined
  }

  [Symbol.dispose](): void {
    this.#stop()
    this.#entries.length = 0
    this.#made.length = 0
    this.#tracked.clear()
  }
}

function copyOf(x: Tensor): Tensor {
  const out = x.device.empty(x.shape)
  const whole = { offset: 0, stride: x.size }
  kernelsOf(x.device).copy({ handle: x.handle, ...whole }, { handle: out.handle, ...whole }, 1, x.size)
  return out
}

/** Every differentiable operation ends with this call. If a tape is open and tracks an input, it records how
 *  to compute the gradients. */
export function record(
  op: string,
  inputs: readonly Tensor<DType>[],
  output: Tensor,
  backward: Backward,
): Tensor {
  const tape = output.device.tape
  if (tape && inputs.some((input) => tape.tracks(input))) tape.add({ op, inputs, output, backward })
  return output
}

/** Operations without a gradient call this first. It throws if a gradient would be needed, because otherwise
 *  the gradient would silently be zero. */
export function refuseTape(op: string, ...inputs: readonly Tensor<DType>[]): void {
  if (inputs.some((input) => input.device.tape?.tracks(input)))
    throw new Error(
      `${op}: this operation has no gradient, but its input depends on a watched tensor; run it outside grad`,
    )
}

/** Runs `f` and returns its scalar value and the gradients for `tensors`, in their order. Intermediate
 *  tensors live until the surrounding scope closes; with `freeIntermediates`, only as long as a gradient
 *  needs them. */
export function grad(
  f: () => Tensor,
  tensors: readonly Tensor[],
  options: TapeOptions = {},
): { value: Tensor; grads: Tensor[] } {
  if (typeof f !== 'function')
    throw new TypeError(`grad: f must be a function, got ${described(f)}; write grad(() => loss, tensors)`)
  checkTensorList('grad', tensors, 'write [tensor]')
  if (tensors.length === 0) throw new Error('grad: at least one tensor must be given, got none')
  const [first, ...rest] = tensors
  checkDevice('grad', first, ...rest)
  const { device } = first
  using tape = new Tape(device, tensors, options)
  const value = device.span('forward', f)
  checkTensor('grad', 'the result of the function', value)
  return { value, grads: device.span('backward', () => tape.backward(value)) }
}
