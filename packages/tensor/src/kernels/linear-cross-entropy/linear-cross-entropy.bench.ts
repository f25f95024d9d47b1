import { expectNear } from '@tau/testing'
import { grad } from '../../autodiff/tape.ts'
import type { Tensor } from '../../tensor.ts'
import { type Benches, randomInput } from '../case.bench.ts'
import { clamp } from '../clamp/clamp.ts'
import { crossEntropy } from '../cross-entropy/cross-entropy.ts'
import { matmul } from '../matmul/matmul.ts'
import { softcap } from '../softcap/softcap.ts'
import { linearCrossEntropy } from './linear-cross-entropy.ts'

const [ROWS, COLS, WIDTH] = [1024, 30_522, 384]
const BOUNDS = { clamp: 50, softcap: 15 }
const targets = Int32Array.from({ length: ROWS }, (_, row) => (row * 7919) % COLS)

type Loss = (x: Tensor, weight: Tensor, targets: Tensor<'i32'>) => Tensor

const fused: Loss = (x, weight, ids) => linearCrossEntropy(x, weight, ids, BOUNDS)
const composed: Loss = (x, weight, ids) =>
  crossEntropy(softcap(clamp(matmul(x, weight, 'nt'), -BOUNDS.clamp, BOUNDS.clamp), BOUNDS.softcap), ids)

/** Loss of tau-30m's head at T 1024 with both gradients: three products and the operations between them. */
const bench = (name: string, loss: Loss, twin: Loss, rival?: string): Benches[number] => ({
  name: `linear-cross-entropy/${name}`,
  shape: `[${ROWS}, ${WIDTH}] x [${COLS}, ${WIDTH}]`,
  work: { flops: 6 * ROWS * COLS * WIDTH },
  ...(rival !== undefined && { rival: { name: `linear-cross-entropy/${rival}`, as: rival } }),
  prepare(device) {
    const x = randomInput(device, [ROWS, WIDTH], 1).tensor
    const weight = randomInput(device, [COLS, WIDTH], 2).tensor
    const ids = device.tensor(targets)
    return {
      run() {
        using _scope = device.scope()
        grad(() => loss(x, weight, ids), [x, weight])
      },
      async check() {
        using _scope = device.scope()
        const [found, expected] = [loss, twin].map((f) => grad(() => f(x, weight, ids), [x, weight]))
        expectNear([await found.value.item()], [await expected.value.item()], { rtol: 1e-6 })
        for (const [i, gradient] of found.grads.entries())
          expectNear(await gradient.data(), await expected.grads[i].data(), { atol: 1e-6 })
      },
    }
  },
})

export const benches: Benches = [
  bench('vocabulary_T1024', fused, composed, 'composed'),
  bench('composed', composed, fused),
]
