import type { Device } from '../device.ts'
import type { DType } from '../dtype.ts'
import { checkDevice } from '../kernels/check.ts'
import type { Tensor } from '../tensor.ts'
import { type Recorder, record, Tape } from './tape.ts'

/** Records nothing, but notes which tensors tracked by the outer tape are used. Gradients are needed for
 *  these. */
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
    // The scope that checkpoint opens frees it.
  }

  [Symbol.dispose](): void {
    this.#device.tape = this.#outer
  }
}

const isFloat = (tensor: Tensor<DType>): tensor is Tensor => tensor.dtype === 'f32'

/** f(...inputs), for which a tape keeps only the inputs. Intermediate results of `f` are freed at once, and
 *  computed again when gradients are needed. This costs a second forward pass and saves the memory of all
 *  intermediate results.
 *  Gradients have the same bits as without checkpoint, on one condition: a tensor that `f` uses is used
 *  outside of `f` by at most one operation.
 *
 *  `f` must be a function of tensors that gives the same result each time: it uses no caches and draws no
 *  random numbers. Tensors that it takes from its surroundings, such as weights, need not be among `inputs`:
 *  they get gradients too. The result must be a new tensor.
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
  tape.made(result.out) // the tape did not see it being made
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
