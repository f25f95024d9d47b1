import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { sameShape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { contiguousLoops } from '../binary/broadcast.ts'
import { checkDevice, checkDType, checkRank } from '../check.ts'
import { kernelsOf } from '../table.ts'
import { chunkRows } from './chunk.ts'

/** count[0] = max(1, number of targets ≥ 0): the divisor of the mean over tokens. */
export type TargetCountKernel = (targets: Handle, count: Handle, rows: number) => void

export interface LogitLossOptions {
  readonly rows: number
  readonly cols: number
  /** Index of the first row of logits in targets and losses. */
  readonly first: number
  /** Logits are limited to ±clamp; Infinity: no limit. */
  readonly clamp: number
  /** The soft cap of the logits; 0: no cap. */
  readonly softcap: number
  /** Replace the logits by their gradient. */
  readonly gradient: boolean
}

/** Let y = softcap · tanh(clamp(z) / softcap) for the logits z [rows, cols].
 *  losses[first + r] = log Σ_c e^{y[r, c]} − y[r, target]; 0 if the target is negative, NaN if it is ≥ cols.
 *  The other losses stay.
 *  With `gradient`, z[r, c] becomes (e^{y[r, c]} / Σ e^y − [c = target]) / count[0] · dy/dz; 0 in ignored
 *  rows. */
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
  /** Logits are limited to ±clamp; the gradient is 0 beyond. Default: no limit. */
  readonly clamp?: number
  /** Then logits are capped softly: cap · tanh(z / cap). Default, or null: no cap. */
  readonly softcap?: number | null
}

/** Mean of −log softmax(softcap(clamp(x·Wᵀ)))[target], in nats per token. This is
 *  crossEntropy(softcap(clamp(matmul(x, W, 'nt')))) without keeping all logits.
 *  x [..., C] · weight [V, C] · targets [...] (i32; IGNORE_INDEX skips a token) → scalar. It is 0 if no token
 *  counts, and NaN for a target ≥ V.
 *  Tokens are processed in chunks, so memory is bounded by the vocabulary, whatever the length. If a tape
 *  asks for gradients, each chunk makes them in the same pass, so no logit is computed twice.
 *  Source of the idea: Wijmans et al., Cut Your Losses in Large-Vocabulary Language Models (2024). */
export const linearCrossEntropy = (
  x: Tensor,
  weight: Tensor,
  targets: Tensor<'i32'>,
  options: LogitOptions = {},
): Tensor => linearCrossEntropyInChunks(chunkRows(weight.shape[0]), x, weight, targets, options)

/** The same with a given number of tokens per chunk. Tests use small chunks. */
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

/** The loss, and those of its gradients that are wanted. */
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
      // Overwrite the chunk of x, which is no longer needed.
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
