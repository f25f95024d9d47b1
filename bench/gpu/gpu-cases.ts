import { constantDecay, type LambdaAlgorithm, lambdaAttention } from '@tau/attention'
import {
  crossEntropy,
  type Device,
  grad,
  type Layout,
  linearCrossEntropy,
  matmul,
  mul,
  rmsNorm,
  type Shape,
  softmax,
  sum,
  type Tensor,
} from '@tau/tensor'
import { randomArray } from '@tau/testing'

/** What is timed with portable and with tuned kernels. */
export interface GpuCase {
  readonly name: string
  readonly shape: string
  /** Floating-point operations of a call, if they limit its speed. */
  readonly flops?: number
  /** Makes the inputs and returns the call. The results of the call are compared. A scope is open. */
  prepare(device: Device): () => readonly Tensor[]
}

const normal = (device: Device, shape: Shape, seed: number): Tensor =>
  device.tensor(
    Float32Array.from(
      randomArray(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
    ),
    shape,
  )
const uniform = (device: Device, shape: Shape, seed: number): Tensor =>
  device.tensor(
    Float32Array.from(
      randomArray(
        shape.reduce((a, b) => a * b, 1),
        seed,
      ),
      (x) => 1 / (1 + Math.exp(-x)),
    ),
    shape,
  )
const idsOf = (device: Device, count: number, below: number): Tensor<'i32'> =>
  device.tensor(Int32Array.from(randomArray(count, 9), (x) => Math.abs(Math.floor(x * 1e6)) % below))

export function square(n: number, layout: Layout = 'nn'): GpuCase {
  return {
    name: `matmul/${n}${layout === 'nn' ? '' : `_${layout}`}`,
    shape: `${n}³ ${layout}`,
    flops: 2 * n ** 3,
    prepare(device) {
      const [a, b] = [normal(device, [n, n], 1), normal(device, [n, n], 2)]
      return () => [matmul(a, b, layout)]
    },
  }
}

/** A product of a model: rows are tokens. */
function linearCase(what: string, layout: Layout, [m, n, k]: readonly [number, number, number]): GpuCase {
  return {
    name: `matmul/${what}`,
    shape: `[${m}, ${n}, ${k}] ${layout}`,
    flops: 2 * m * n * k,
    prepare(device) {
      const a = normal(device, layout === 'tn' ? [k, m] : [m, k], 1)
      const b = normal(device, layout === 'nt' ? [n, k] : [k, n], 2)
      return () => [matmul(a, b, layout)]
    },
  }
}

/** An operation on rows: forward alone, and with the gradient of Σ dOut·y. */
function rowCases(
  name: string,
  op: (x: Tensor) => Tensor,
  [rows, cols]: readonly [number, number],
): GpuCase[] {
  const shape = `[${rows}, ${cols}]`
  return [
    {
      ...{ name: `${name}/forward`, shape },
      prepare(device) {
        const x = normal(device, [rows, cols], 1)
        return () => [op(x)]
      },
    },
    {
      ...{ name: `${name}/train`, shape },
      prepare(device) {
        const [x, dOut] = [normal(device, [rows, cols], 1), normal(device, [rows, cols], 2)]
        return () => grad(() => sum(mul(op(x), dOut)), [x]).grads
      },
    },
  ]
}

function crossEntropyCase(rows: number, cols: number): GpuCase {
  return {
    name: 'cross-entropy/train',
    shape: `[${rows}, ${cols}]`,
    prepare(device) {
      const [logits, targets] = [normal(device, [rows, cols], 1), idsOf(device, rows, cols)]
      return () => grad(() => crossEntropy(logits, targets), [logits]).grads
    },
  }
}

function linearCrossEntropyCase(rows: number, cols: number, width: number): GpuCase {
  return {
    name: 'linear-cross-entropy/train',
    shape: `[${rows}, ${width}] to ${cols}`,
    prepare(device) {
      const [x, weight] = [normal(device, [rows, width], 1), normal(device, [cols, width], 2)]
      const targets = idsOf(device, rows, cols)
      return () => grad(() => linearCrossEntropy(x, weight, targets, { softcap: 15 }), [x, weight]).grads
    },
  }
}

const HEAD_DIM = 64

/** λ-distance attention on one sequence: forward alone, and with the gradients of Σ dOut·out. */
function lambdaCalls(
  device: Device,
  { length, heads, hasDecay }: { length: number; heads: number; hasDecay: boolean },
  algorithm?: LambdaAlgorithm,
): Record<'forward' | 'train', () => readonly Tensor[]> {
  const lambdaQ = uniform(device, [1, heads, length], 1)
  const lambdaK = uniform(device, [1, heads, length], 2)
  const v = normal(device, [1, heads, length, HEAD_DIM], 3)
  const dOut = normal(device, [1, heads, length, HEAD_DIM], 4)
  const inputs = {
    ...{ lambdaQ, lambdaK, v, algorithm },
    temperature: device.tensor(Array<number>(heads).fill(0.05)),
    ...(hasDecay && { logDecay: constantDecay(device.tensor(Array<number>(heads).fill(0.01)), length) }),
  }
  return {
    forward: () => [lambdaAttention(inputs)],
    train: () => grad(() => sum(mul(lambdaAttention(inputs), dOut)), [lambdaQ, lambdaK, v]).grads,
  }
}

function attentionCases(length: number, heads: number, hasDecay: boolean): GpuCase[] {
  const name = `lambda-attention/T${length}${hasDecay ? '_clock' : ''}`
  const shape = `[1, ${heads}, ${length}, ${HEAD_DIM}]`
  const pairs = (heads * length * (length + 1)) / 2
  return [
    {
      ...{ name: `${name}/forward`, shape, flops: 2 * HEAD_DIM * pairs },
      prepare: (device) => lambdaCalls(device, { length, heads, hasDecay }).forward,
    },
    {
      // dOut·v is made twice, once for the sums over keys and once for those over queries.
      ...{ name: `${name}/train`, shape, flops: 8 * HEAD_DIM * pairs },
      prepare: (device) => lambdaCalls(device, { length, heads, hasDecay }).train,
    },
  ]
}

/** The two hand-written algorithms of λ-distance attention: `quadratic`, in tiles of all pairs, and `merge`,
 *  in O(T log T). */
export interface MergeCase {
  readonly name: string
  readonly shape: string
  prepare(device: Device): Record<'tiles' | 'merges', () => readonly Tensor[]>
}

export function mergeCases(isSoftware: boolean): MergeCase[] {
  const heads = isSoftware ? 1 : 6
  const lengths = isSoftware ? [1024, 4096] : [1024, 2048, 4096, 8192, 16_384, 32_768]
  return lengths.flatMap((length) =>
    (['forward', 'train'] as const).map((pass) => ({
      name: `lambda-merges/T${length}/${pass}`,
      shape: `[1, ${heads}, ${length}, ${HEAD_DIM}]`,
      prepare: (device: Device) => ({
        tiles: lambdaCalls(device, { length, heads, hasDecay: true }, 'quadratic')[pass],
        merges: lambdaCalls(device, { length, heads, hasDecay: true }, 'sorted')[pass],
      }),
    })),
  )
}

/** Sizes for a software driver on two cores. */
const forSoftware = (): GpuCase[] => [
  square(512),
  square(512, 'nt'),
  square(512, 'tn'),
  linearCase('weights_T2048', 'tn', [128, 128, 2048]),
  ...rowCases('rms-norm', (x) => rmsNorm(x), [1024, 384]),
  ...rowCases('softmax', softmax, [512, 512]),
  crossEntropyCase(128, 4096),
  linearCrossEntropyCase(128, 4096, 64),
  ...attentionCases(256, 1, false),
  ...attentionCases(256, 1, true),
]

/** tau-30m: width 384, feed-forward 1536, 30 522 classes, six heads of 64. */
const forHardware = (): GpuCase[] => [
  square(512),
  square(512, 'nt'),
  square(512, 'tn'),
  square(1024),
  square(2048),
  square(2048, 'nt'),
  square(2048, 'tn'),
  square(4096),
  linearCase('mlp_up_T8192', 'nt', [8192, 1536, 384]),
  linearCase('mlp_up_dx_T8192', 'nn', [8192, 384, 1536]),
  linearCase('mlp_up_dw_T8192', 'tn', [1536, 384, 8192]),
  linearCase('attn_proj_T1024', 'nt', [1024, 384, 384]),
  linearCase('decode_mlp_up', 'nt', [1, 1536, 384]),
  ...rowCases('rms-norm', (x) => rmsNorm(x), [16_384, 384]),
  ...rowCases('softmax', softmax, [8192, 1024]),
  crossEntropyCase(512, 30_522),
  linearCrossEntropyCase(1024, 30_522, 384),
  ...[1024, 4096, 8192].flatMap((length) => attentionCases(length, 6, true)),
  ...attentionCases(1024, 6, false),
]

export const gpuCases = (isSoftware: boolean): GpuCase[] => (isSoftware ? forSoftware() : forHardware())
