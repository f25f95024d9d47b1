import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { sameShape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { contiguousLoops } from '../binary/broadcast.ts'
import { checkDevice, checkDType, checkRank } from '../check.ts'
import { kernelsOf } from '../table.ts'
import { chunkRows } from './chunk.ts'

/** count[0] = max(1, number of targets ≥ 0): what sums over tokens are divided by. */
export type TargetCountKernel = (targets: Handle, count: Handle, rows: number) => void

export interface LogitLossOptions {
  readonly rows: number
  readonly cols: number
  /** Of the first row of logits in targets and losses. */
  readonly first: number
  /** Logits are limited to ±clamp; Infinity: not at all. */
  readonly clamp: number
  /** 0: none. */
  readonly softcap: number
  /** Replace the logits by their gradient. */
  readonly gradient: boolean
}

/** With y = softcap · tanh(clamp(z) / softcap) of the logits z [rows, cols]: losses[first + r] = log Σ_c e^{y[r, c]} − y[r, target],
 *  0 where the target is negative, NaN where it is ≥ cols. With `gradient` z[r, c] becomes
 *  (e^{y[r, c]} / Σ e^y − [c = target]) / count[0] · dy/dz, 0 in ignored rows. The rest of losses stays as it is. */
export type LogitLossKernel = (
  logits: Handle,
  targets: Handle,
  count: Handle,
  losses: Handle,
  options: LogitLossOptions,
) => void

/** x[i] *= factor[0], in place. */
export type ScaleInPlaceKernel = (x: Handle, factor: Handle, n: number) => void

export interface LogitOptions {
  /** Logits are limited to ±clamp, with gradient 0 beyond. Default: no limit. */
  readonly clamp?: number
  /** Logits are then capped softly: cap · tanh(z / cap). null or left out: they are not. */
  readonly softcap?: number | null
}

/** Mean of −log softmax(softcap(clamp(x·Wᵀ)))[target], in nats per token: crossEntropy(softcap(clamp(matmul(x, W, 'nt')))) without
 *  its logits. Tokens are taken a chunk at a time, so that memory is bounded by the vocabulary, whatever the length; when a tape asks
 *  for gradients they are made in the same pass, chunk by chunk, and the logits of no token are computed twice.
 *  x [..., C] · weight [V, C] · targets [...] (i32, IGNORE_INDEX skips a token) → scalar; 0 when no token counts, NaN for a target ≥ V.
 *  Source of the idea: Wijmans et al., Cut Your Losses in Large-Vocabulary Language Models (2024). */
export const linearCrossEntropy = (
  x: Tensor,
  weight: Tensor,
  targets: Tensor<'i32'>,
  options: LogitOptions = {},
): Tensor => linearCrossEntropyInChunks(chunkRows(weight.shape[0]), x, weight, targets, options)

/** The same, so many tokens at a time: tests have few. */
export function linearCrossEntropyInChunks(
  chunk: number,
  x: Tensor,
  weight: Tensor,
  targets: Tensor<'i32'>,
  { clamp = Number.POSITIVE_INFINITY, softcap = null }: LogitOptions,
): Tensor {
  checkInputs(x, weight, targets)
  if (!(clamp > 0)) throw new RangeError(`linearCrossEntropy: clamp must be above 0, got ${clamp}`)
  if (softcap !== null && !(softcap > 0 && Number.isFinite(softcap)))
    throw new RangeError(
      `linearCrossEntropy: softcap must be a finite number above 0, or null for none, got ${softcap}`,
    )
  const { device } = x
  const [wantX, wantWeight] = [x, weight].map((tensor) => device.tape?.tracks(tensor) === true)
  const { loss, dX, dWeight } = compute(x, weight, targets, {
    clamp,
    softcap: softcap ?? 0,
    wantX,
    wantWeight,
    chunk,
  })
  return record('linearCrossEntropy', [x, weight], loss, (dOut) =>
    [dX, dWeight].map((gradient) => {
      if (!gradient) return null
      kernelsOf(device).scaleInPlace(gradient.handle, dOut.handle, gradient.size)
      const out = gradient.view()
      gradient.dispose()
      return out
    }),
  )
}

function checkInputs(x: Tensor, weight: Tensor, targets: Tensor<'i32'>): void {
  checkDevice('linearCrossEntropy', x, weight, targets)
  checkDType('linearCrossEntropy', 'targets', targets, 'i32')
  checkRank('linearCrossEntropy', 'x', x, 1)
  if (weight.rank !== 2 || weight.shape[1] !== x.shape[x.rank - 1])
    throw new ShapeError(
      `linearCrossEntropy: weight must be [classes, ${x.shape[x.rank - 1]}] for x ${shapeText(x.shape)}, got ${shapeText(weight.shape)}`,
    )
  if (!sameShape(x.shape.slice(0, -1), targets.shape))
    throw new ShapeError(
      `linearCrossEntropy: targets must have the shape of x without the last axis, got ${shapeText(targets.shape)} for ${shapeText(x.shape)}`,
    )
}

interface Wanted {
  readonly clamp: number
  readonly softcap: number
  readonly wantX: boolean
  readonly wantWeight: boolean
  /** Tokens of a chunk. */
  readonly chunk: number
}

/** The loss, and the gradients of it that are wanted. */
function compute(x: Tensor, weight: Tensor, targets: Tensor<'i32'>, wanted: Wanted) {
  const { clamp, softcap, wantX, wantWeight, chunk } = wanted
  const { device } = x
  const kernels = kernelsOf(device)
  const tokens = targets.size
  const [cols, width] = weight.shape
  const dX = wantX ? device.empty(x.shape) : undefined
  const dWeight = wantWeight ? device.empty(weight.shape) : undefined
  const loss = device.empty([])
  using count = device.empty([])
  using losses = device.empty([tokens])
  kernels.targetCount(targets.handle, count.handle, tokens)
  kernels.fill(losses.handle, 0, tokens)
  for (let first = 0; first < tokens; first += chunk) {
    const rows = Math.min(chunk, tokens - first)
    using part = device.empty([rows, width])
    using logits = device.empty([rows, cols])
    const whole = { offset: 0, stride: width }
    const window = { offset: first * width, stride: width }
    kernels.copy({ handle: x.handle, ...window }, { handle: part.handle, ...whole }, rows, width)
    const product = { batch: 1, strideA: 0, strideB: 0 }
    const [z, y] = [logits.handle, part.handle]
    kernels.matmul('nt', y, weight.handle, z, { ...product, m: rows, n: cols, k: width })
    const gradient = wantX || wantWeight
    const options = { rows, cols, first, clamp, softcap, gradient }
    kernels.logitLoss(z, targets.handle, count.handle, losses.handle, options)
    if (dWeight) {
      const sizes = { ...product, m: cols, n: width, k: rows, accumulate: first > 0 }
      kernels.matmul('tn', z, y, dWeight.handle, sizes)
    }
    if (dX) {
      // In place of its chunk of x, which has served.
      kernels.matmul('nn', z, weight.handle, y, { ...product, m: rows, n: width, k: cols })
      kernels.copy({ handle: y, ...whole }, { handle: dX.handle, ...window }, rows, width)
    }
  }
  if (tokens === 0)
    for (const gradient of [dX, dWeight]) if (gradient) kernels.fill(gradient.handle, 0, gradient.size)
  using sum = device.empty([])
  kernels.reduce('sum', losses.handle, sum.handle, 1, tokens, 1)
  kernels.binary('div', sum.handle, count.handle, loss.handle, contiguousLoops(1, 2))
  return { loss, dX, dWeight }
}
