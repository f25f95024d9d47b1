import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { sameShape } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkDType, checkRank } from '../check.ts'
import { kernelsOf } from '../table.ts'

/** Targets with this value are left out of the mean. */
export const IGNORE_INDEX = -1

/** logSumExp[r] = log Σ_c e^{logits[r, c]}. loss[0] = the mean of logSumExp[r] − logits[r, target[r]] over
 *  rows with target ≥ 0, or 0 if there is no such row. loss[1] = the number of those rows. A target ≥ cols
 *  gives NaN. */
export type CrossEntropyKernel = (
  logits: Handle,
  targets: Handle,
  logSumExp: Handle,
  loss: Handle,
  rows: number,
  cols: number,
) => void
/** dLogits[r, c] = dOut[0] / loss[1] · (e^{logits[r, c] − logSumExp[r]} − [c = target[r]]), 0 in ignored rows. */
export type CrossEntropyGradKernel = (
  logits: Handle,
  targets: Handle,
  logSumExp: Handle,
  loss: Handle,
  dOut: Handle,
  dLogits: Handle,
  rows: number,
  cols: number,
) => void

/** Mean of −log softmax(logits)[target], in nats per token. It is fused with the softmax, so probabilities
 *  are never stored. The cpu backend sums in f64.
 *  logits [..., V] · targets [...] (i32; {@link IGNORE_INDEX} skips a token) → scalar. */
export function crossEntropy(logits: Tensor, targets: Tensor<'i32'>): Tensor {
  checkDevice('crossEntropy', logits, targets)
  checkDType('crossEntropy', 'targets', targets, 'i32')
  checkRank('crossEntropy', 'logits', logits, 1)
  if (!sameShape(logits.shape.slice(0, -1), targets.shape))
    throw new ShapeError(
      `crossEntropy: targets must have the shape of logits without the last axis, got ${shapeText(targets.shape)} for ${shapeText(logits.shape)}`,
    )
  const { device } = logits
  const rows = targets.size
  const cols = logits.shape[logits.rank - 1]
  const logSumExp = device.empty(targets.shape)
  const lossAndCount = device.empty([2])
  const kernels = kernelsOf(device)
  kernels.crossEntropy(logits.handle, targets.handle, logSumExp.handle, lossAndCount.handle, rows, cols)
  const loss = device.empty([])
  kernels.copy(
    { handle: lossAndCount.handle, offset: 0, stride: 1 },
    { handle: loss.handle, offset: 0, stride: 1 },
    1,
    1,
  )
  if (!device.tape?.tracks(logits)) {
    logSumExp.dispose()
    lossAndCount.dispose()
  }
  return record('crossEntropy', [logits], loss, (dOut) => {
    const dLogits = device.empty(logits.shape)
    kernels.crossEntropyGrad(
      logits.handle,
      targets.handle,
      logSumExp.handle,
      lossAndCount.handle,
      dOut.handle,
      dLogits.handle,
      rows,
      cols,
    )
    return [dLogits]
  })
}
