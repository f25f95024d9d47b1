import { expectNear, expectSamples } from '@tau/testing'
import { type Benches, bytesOf, opCase, randomInput, rowAt } from '../case.bench.ts'
import { kernelsOf } from '../table.ts'
import { crossEntropy } from './cross-entropy.ts'
import { crossEntropyReference } from './reference.ts'

const [ROWS, COLS] = [128, 30_522]
const targets = Int32Array.from({ length: ROWS }, (_, row) => (row * 7919) % COLS)

/** The loss of 128 tokens over tau-30m's vocabulary. Forward reads the logits once; backward reads them and
 *  writes their gradient. */
export const benches: Benches = [
  {
    name: 'cross-entropy/vocabulary_T128',
    shape: '[128, 30522]',
    work: { bytes: bytesOf(ROWS * COLS) },
    readsOnly: true,
    boundBy: 'instructions of the exponential',
    prepare(device) {
      const logits = randomInput(device, [ROWS, COLS], 1)
      const ids = device.tensor(targets)
      const expected = () => crossEntropyReference(Float64Array.from(logits.values), targets, COLS)
      return {
        ...opCase(
          device,
          () => crossEntropy(logits.tensor, ids),
          () => 0,
          {},
        ),
        async check() {
          using loss = crossEntropy(logits.tensor, ids)
          expectNear([await loss.item()], [expected()], { rtol: 1e-6 })
        },
      }
    },
  },
  {
    name: 'cross-entropy/grad_vocabulary_T128',
    shape: '[128, 30522]',
    work: { bytes: bytesOf(2 * ROWS * COLS) },
    boundBy: 'instructions of the exponential',
    prepare(device) {
      const logits = randomInput(device, [ROWS, COLS], 2)
      const ids = device.tensor(targets)
      const [logSumExp, loss, dLogits] = [[ROWS], [2], [ROWS, COLS]].map((shape) => device.empty(shape))
      const dOut = device.scalar(1)
      const { crossEntropy: forward, crossEntropyGrad: backward } = kernelsOf(device)
      forward(logits.tensor.handle, ids.handle, logSumExp.handle, loss.handle, ROWS, COLS)
      const run = () => {
        const saved = [logSumExp.handle, loss.handle, dOut.handle, dLogits.handle] as const
        backward(logits.tensor.handle, ids.handle, ...saved, ROWS, COLS)
      }
      const expectedAt = (index: number) => {
        const row = rowAt(logits.values, index, COLS)
        const total = row.reduce((sum, x) => sum + Math.exp(x), 0)
        const isTarget = index % COLS === targets[Math.floor(index / COLS)]
        return (Math.exp(row[index % COLS]) / total - (isTarget ? 1 : 0)) / ROWS
      }
      return {
        run,
        async check() {
          run()
          expectSamples(await dLogits.data(), expectedAt, { rtol: 2e-6 })
        },
      }
    },
  },
]
