import {
  constantDecay,
  dotAttention,
  forgetGateDecay,
  LaplacianTensor,
  type LogDecay,
  lambdaAttention,
  rayleighEnergy,
  referenceTau,
  rope,
  taumode,
  tokenShift,
} from '@tau/attention'
import * as tau from '@tau/tensor'
import { type Device, grad, mul, Random, type Shape, sum, type Tensor } from '@tau/tensor'
import { adamwUpdate, sgdUpdate } from '@tau/tensor/optim'
import { hasSortedAlgorithm } from './context.ts'

/** What a case works with. The numbers are the same on every device. */
interface Numbers {
  readonly device: Device
  /** Standard normal. */
  normal(...shape: number[]): Tensor
  /** Uniform between 0.1 and 2. */
  positive(...shape: number[]): Tensor
  ids(below: number, ...shape: number[]): Tensor<'i32'>
}

/** Every operation, on every kernel that it has. Sizes are small enough for all devices and large enough for
 *  folds in two rounds. Results are compared with those of the cpu backend. */
export const kernelCases: Readonly<Record<string, (numbers: Numbers) => readonly Tensor[]>> = {
  'unary kernels': ({ normal, positive }) => {
    const any = [
      tau.neg,
      tau.exp,
      tau.square,
      tau.abs,
      tau.relu,
      tau.sigmoid,
      tau.silu,
      tau.tanh,
      tau.softplus,
      (x: Tensor) => tau.gelu(x),
      (x: Tensor) => tau.gelu(x, 'tanh'),
    ]
    const above = [tau.log, tau.sqrt, tau.reciprocal]
    return [
      ...any.flatMap((op) => withGradients((x) => op(x), normal(7, 19))),
      ...above.flatMap((op) => withGradients((x) => op(x), positive(7, 19))),
      ...withGradients((x) => tau.reluSquared(x), normal(7, 19)),
      ...withGradients((x) => tau.clamp(x, -0.5, 0.7), normal(7, 19)),
      ...withGradients((x) => tau.softcap(x, 2), normal(7, 19)),
    ]
  },
  'binary kernels': ({ normal, positive }) => [
    ...[tau.add, tau.sub, tau.mul, tau.div, tau.maximum, tau.minimum].flatMap((op) => [
      ...withGradients((a, b) => op(a, b), normal(3, 5, 7), positive(5, 1)),
      ...withGradients((a, b) => op(a, b), normal(2, 1, 3, 1, 4), positive(1, 3, 1, 2, 1)),
    ]),
    ...withGradients((a, b) => tau.pow(a, b), positive(3, 5, 7), normal(5, 1)),
    ...where(tau.less(normal(3, 5, 7), 0), normal(3, 5, 7), normal(5, 1)),
  ],
  reductions: ({ normal }) => [
    ...withGradients((x) => tau.sum(x, [1]), normal(3, 131, 5)),
    ...withGradients((x) => tau.sum(x, [1]), normal(3, 7)),
    ...withGradients((x) => tau.mean(x, [0]), normal(131)),
    tau.max(normal(3, 131, 5), [1]),
    tau.max(normal(3, 7), [1]),
    tau.max(normal(131)),
    tau.equal(tau.argmax(normal(3, 131, 5), 1), tau.argmin(normal(3, 131, 5), 1)),
    tau.lessEqual(tau.argmax(normal(5, 131), 1), 64),
    ...withGradients((x) => tau.cumsum(x, 0), normal(37, 3)),
    tau.globalNorm([normal(131), normal(3, 5)]),
  ],
  rows: ({ normal, ids }) => [
    ...withGradients((x) => tau.softmax(x), normal(5, 131)),
    ...withGradients((x) => tau.rmsNorm(x), normal(5, 131)),
    ...withGradients((x) => tau.layerNorm(x), normal(5, 131)),
    ...withGradients((x) => tau.dropout(x, 0.3, { seed: 1, step: 2 }), normal(5, 131)),
    ...withGradients((x) => tau.crossEntropy(x, ids(131, 5)), normal(5, 131)),
    ...withGradients((table) => tau.embedding(table, ids(11, 3, 7)), normal(11, 13)),
    ...withGradients(
      (x, w) => tau.linearCrossEntropy(x, w, ids(131, 7), { clamp: 2, softcap: 3 }),
      normal(7, 5),
      normal(131, 5),
    ),
  ],
  products: ({ normal }) => [
    ...withGradients((a, b) => tau.matmul(a, b, 'nn'), normal(3, 5, 71), normal(3, 71, 7)),
    ...withGradients((a, b) => tau.matmul(a, b, 'nt'), normal(5, 71), normal(7, 71)),
    ...withGradients((a, b) => tau.matmul(a, b, 'tn'), normal(71, 5), normal(71, 7)),
    // Large enough for tiles, with and without vectors of four.
    ...withGradients((a, b) => tau.matmul(a, b, 'nt'), normal(36, 40), normal(44, 40)),
    ...withGradients((a, b) => tau.matmul(a, b, 'tn'), normal(37, 35), normal(37, 33)),
  ],
  shapes: ({ normal }) => [
    ...withGradients((x) => tau.permute(x, [2, 0, 1]), normal(3, 5, 7)),
    ...withGradients((x) => tau.permute(x, [0, 2, 1, 3]), normal(2, 3, 5, 4)),
    ...withGradients((x) => tau.slice(x, 1, 2, 5), normal(3, 7, 2)),
    ...withGradients((a, b) => tau.concat([a, b], 1), normal(3, 4), normal(3, 2)),
  ],
  'in place': ({ device, normal, positive }) => {
    const [param, grads, m, v] = [normal(3, 7), normal(3, 7), normal(3, 7), positive(3, 7)]
    const options = { lr: 0.01, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1, step: 3, maxNorm: 1 }
    adamwUpdate(param, grads, m, v, tau.globalNorm([grads]), options)
    const [moved, velocity] = [normal(3, 7), normal(3, 7)]
    const momentum = { lr: 0.01, momentum: 0.9, nesterov: true, weightDecay: 0.1, maxNorm: 1 }
    sgdUpdate(moved, grads, velocity, tau.globalNorm([grads]), momentum)
    const total = normal(5, 3)
    tau.addInto(total, normal(5, 3), -0.5)
    const filled = tau.ones(device, [4, 3])
    tau.copyBlock({ tensor: normal(7), offset: 1, stride: 3 }, { tensor: filled, offset: 4, stride: 3 }, 2, 2)
    return [param, m, v, moved, velocity, total, filled]
  },
  attention: ({ device, normal, positive }) => {
    const lambda = (...shape: number[]) => tau.sigmoid(normal(...shape))
    // The parameters of logDecay are inputs, because their gradients are wanted.
    const decays: readonly {
      readonly inputs: Tensor[]
      readonly decayOf?: (input: Tensor) => Tensor | LogDecay
    }[] = [
      { inputs: [] },
      { inputs: [normal(2, 4, 11)], decayOf: (gates) => forgetGateDecay(gates) },
      { inputs: [positive(4)], decayOf: (gamma) => constantDecay(gamma, 11) },
      { inputs: [normal(2, 4, 11)], decayOf: (gates) => forgetGateDecay(gates).high },
    ]
    const laplacian = LaplacianTensor.from(device, { dense: ring(6), size: 6 })
    return [
      ...decays.flatMap(({ inputs, decayOf }) => [
        ...withGradients(
          (q, k, v, input) => dotAttention({ q, k, v, ...(decayOf && { logDecay: decayOf(input) }) }),
          normal(2, 4, 11, 6),
          normal(2, 2, 11, 6),
          normal(2, 2, 11, 5),
          ...inputs,
        ),
        // All queries, and few queries as in decoding.
        ...[11, 2].flatMap((queries) =>
          withGradients(
            (lambdaQ, lambdaK, v, temperature, input) =>
              lambdaAttention({
                lambdaQ,
                lambdaK,
                v,
                temperature,
                algorithm: 'quadratic',
                ...(decayOf && { logDecay: decayOf(input) }),
              }),
            lambda(2, 4, queries),
            lambda(2, 2, 11),
            normal(2, 2, 11, 5),
            positive(4),
            ...inputs,
          ),
        ),
      ]),
      // Long enough that blocks in order of λ are joined, and warm enough that gradients have a size near 1.
      ...withGradients(
        (lambdaQ, lambdaK, v, temperature) =>
          lambdaAttention({
            ...{ lambdaQ, lambdaK, v, temperature },
            algorithm: hasSortedAlgorithm(device) ? 'sorted' : 'quadratic',
          }),
        lambda(1, 2, 521),
        lambda(1, 1, 521),
        normal(1, 1, 521, 3),
        tau.mul(positive(2), 5),
      ),
      ...withGradients((logits) => forgetGateDecay(logits).high, normal(2, 4, 11)),
      ...withGradients((rates) => constantDecay(rates, 11).high, positive(4)),
      ...withGradients((x) => rope(x), normal(3, 11, 6)),
      ...withGradients((x) => tokenShift(x), normal(2, 11, 6)),
      ...withGradients((x, tauOf) => taumode(x, laplacian, tauOf), normal(2, 3, 11, 6), positive(3)),
      rayleighEnergy(normal(5, 6), laplacian),
      referenceTau(normal(5, 6), 'median'),
      referenceTau(normal(5, 6), 'mean'),
    ]
  },
}

/** f's result and the gradients of Σ w·f, w normal, for the inputs. */
function withGradients(f: (...inputs: Tensor[]) => Tensor, ...inputs: Tensor[]): Tensor[] {
  let out: Tensor | undefined
  const { grads } = grad(() => {
    out = f(...inputs)
    return sum(mul(out, new Random(99).normal(out.device, out.shape)))
  }, inputs)
  if (!out) throw new Error('internal: the operation must have run')
  return [out, ...grads]
}

/** A comparison has no gradient, so the mask is made outside of `grad`. */
const where = (mask: Tensor, ...inputs: Tensor[]): Tensor[] =>
  withGradients((a, b) => tau.where(mask, a, b), ...inputs)

/** The Laplacian of a ring, [size, size]. */
const ring = (size: number): number[] =>
  Array.from({ length: size * size }, (_, i) => {
    const distance = Math.abs((i % size) - Math.floor(i / size))
    return distance === 0 ? 2 : distance === 1 || distance === size - 1 ? -1 : 0
  })

/** The values of a case on a device. */
export async function runKernelCase(name: string, device: Device): Promise<Float32Array[]> {
  using _scope = device.scope()
  const random = new Random(7)
  const size = (shape: Shape) => shape.reduce((product, n) => product * n, 1)
  const tensors = kernelCases[name]({
    device,
    normal: (...shape) => random.normal(device, shape),
    positive: (...shape) => random.uniform(device, shape, 0.1, 2),
    ids: (below, ...shape) =>
      device.tensor(
        Int32Array.from({ length: size(shape) }, () => random.integer(below)),
        shape,
      ) as Tensor<'i32'>,
  })
  return await Promise.all(tensors.map((tensor) => tensor.data()))
}

/** Largest |found − expected| / (1 + |expected|) over all results. */
export function largestError(found: readonly Float32Array[], expected: readonly Float32Array[]): number {
  let largest = 0
  for (const [i, values] of expected.entries())
    for (const [j, value] of values.entries()) {
      const error = Math.abs(found[i][j] - value) / (1 + Math.abs(value))
      if (!(error <= largest)) largest = error
    }
  return largest
}
