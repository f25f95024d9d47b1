import type { Device } from '../device.ts'
import type { DType } from '../dtype.ts'
import { ShapeError, shapeText } from '../errors.ts'
import { addInto } from '../kernels/accumulate/accumulate.ts'
import { checkDevice } from '../kernels/check.ts'
import { fill } from '../kernels/fill/fill.ts'
import { sameShape } from '../shape.ts'
import type { Tensor } from '../tensor.ts'

/** Maps the gradient of an operation's output to those of its inputs, in their order. `wanted[i]` is false where nobody
 *  asked for input i: return null there and skip the work. Gradients are new tensors or `dOut.view()`, never `dOut`. */
export type Backward = (dOut: Tensor, wanted: readonly boolean[]) => readonly (Tensor | null)[]

interface Entry {
  readonly op: string
  readonly inputs: readonly Tensor<DType>[]
  readonly output: Tensor
  readonly backward: Backward
}

/** The list of operations run since it was opened that depend on the watched tensors; walked backwards once. */
export class Tape implements Disposable {
  readonly #device: Device
  readonly #watched: readonly Tensor[]
  readonly #tracked: Set<Tensor<DType>>
  readonly #entries: Entry[] = []

  constructor(device: Device, watched: readonly Tensor[]) {
    if (device.tape) throw new Error('tape: a device records one tape at a time; close the open one first')
    this.#device = device
    this.#watched = watched
    this.#tracked = new Set(watched)
    device.tape = this
  }

  tracks(tensor: Tensor<DType>): boolean {
    return this.#tracked.has(tensor)
  }

  add(entry: Entry): void {
    this.#tracked.add(entry.output)
    this.#entries.push(entry)
  }

  /** Gradients of the scalar `loss` for the watched tensors, in their order; zeros where loss does not depend on one.
   *  Uses the tape up. Gradients of gradients are not supported. */
  backward(loss: Tensor): Tensor[] {
    if (loss.size !== 1)
      throw new ShapeError(
        `backward: loss must hold one element, got ${shapeText(loss.shape)}; take its mean or sum`,
      )
    this.#stop()
    const grads = new Map<Tensor<DType>, Tensor>()
    if (this.#tracked.has(loss)) grads.set(loss, fill(this.#device, loss.shape, 1))
    for (let entry = this.#entries.pop(); entry; entry = this.#entries.pop()) {
      const dOut = grads.get(entry.output)
      if (!dOut) continue
      this.#propagate(entry, dOut, grads)
      if (!this.#watched.includes(entry.output)) {
        grads.delete(entry.output)
        dOut.dispose()
      }
    }
    return this.#watched.map((tensor) => grads.get(tensor) ?? fill(this.#device, tensor.shape, 0))
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
        const sum = fill(this.#device, input.shape, 0)
        addInto(sum, before)
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
    this.#tracked.clear()
  }
}

/** Every differentiable operation ends with this: notes how to go back, if a tape is open and an input is tracked. */
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

/** Operations without a gradient call this first, so that none becomes zero in silence. */
export function refuseTape(op: string, ...inputs: readonly Tensor<DType>[]): void {
  if (inputs.some((input) => input.device.tape?.tracks(input)))
    throw new Error(
      `${op}: this operation has no gradient, but its input depends on a watched tensor; run it outside grad`,
    )
}

/** Runs `f` and returns its scalar value with the gradients for `tensors`, in their order. Intermediate tensors live
 *  until the scope around the call closes. */
export function grad(f: () => Tensor, tensors: readonly Tensor[]): { value: Tensor; grads: Tensor[] } {
  if (tensors.length === 0) throw new Error('grad: at least one tensor must be given, got none')
  const [first, ...rest] = tensors
  checkDevice('grad', first, ...rest)
  using tape = new Tape(first.device, tensors)
  const value = f()
  return { value, grads: tape.backward(value) }
}
