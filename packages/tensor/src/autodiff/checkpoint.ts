import type { Device } from '../device.ts'
import type { DType } from '../dtype.ts'
import { checkDevice } from '../kernels/check.ts'
import type { Tensor } from '../tensor.ts'
import { type Recorder, record, Tape } from './tape.ts'

/** Records nothing, and notes which tensors of the tape around are used: those that gradients are for. */
class Observer implements Recorder, Disposable {
  readonly used = new Set<Tensor>()
  readonly #device: Device
  readonly #outer: Recorder

  constructor(device: Device, outer: Recorder) {
    this.#device = device
    this.#outer = outer
    device.tape = this
  }

  tracks(tensor: Tensor<DType>): boolean {
    if (this.#outer.tracks(tensor) && isFloat(tensor)) this.used.add(tensor)
    return false
  }

  add(): void {
    throw new Error('internal: nothing is tracked while a checkpoint runs for its result')
  }

  made(): void {
    // Freed by the scope that checkpoint opens.
  }

  [Symbol.dispose](): void {
    this.#device.tape = this.#outer
  }
}

const isFloat = (tensor: Tensor<DType>): tensor is Tensor => tensor.dtype === 'f32'

/** f(...inputs), remembered by its inputs only: what `f` makes on the way is freed at once, and made again when gradients are
 *  asked for. Costs a second forward pass and saves the memory of all intermediate results. Gradients are those of `f` without
 *  it, bit for bit, if whatever is used both inside and outside is used outside by one operation at most.
 *
 *  `f` must be a function of tensors, with the same result each time: no caches, no drawing of random numbers. Tensors that it takes
 *  from around it, such as weights, need not be among `inputs`: gradients reach them too. The result must be a new tensor.
 *  Source: Chen et al., Training Deep Nets with Sublinear Memory Cost (2016). */
export function checkpoint(f: (...inputs: Tensor[]) => Tensor, inputs: readonly Tensor[]): Tensor {
  if (inputs.length === 0) throw new Error('checkpoint: at least one input must be given, got none')
  const [first, ...rest] = inputs
  checkDevice('checkpoint', first, ...rest)
  const { device } = first
  const { tape } = device
  if (!tape) {
    using scope = device.scope()
    return scope.keep(f(...inputs))
  }
  const { out, used } = observe(device, tape, () => f(...inputs))
  return record('checkpoint', used, out, (dOut) => {
    using again = new Tape(device, used, { freeIntermediates: true })
    const value = device.span('forward again', () => f(...inputs))
    return again.backward(value, dOut)
  })
}

function observe(device: Device, tape: Recorder, f: () => Tensor): { out: Tensor; used: Tensor[] } {
  using scope = device.scope()
  const result = run(device, tape, f)
  tape.made(result.out) // it was made unseen
  scope.keep(result.out)
  return result
}

function run(device: Device, tape: Recorder, f: () => Tensor): { out: Tensor; used: Tensor[] } {
  using observer = new Observer(device, tape)
  const out = f()
  if (observer.used.has(out))
    throw new Error('checkpoint: f must make a new tensor, got one of its inputs; return a view')
  return { out, used: Array.from(observer.used) }
}
