import { expectNear } from '@tau/testing'
import type { Tensor } from '../../tensor.ts'
import { add } from '../binary/binary.ts'
import { type Benches, randomInput } from '../case.bench.ts'
import { matmul } from '../matmul/matmul.ts'
import { reluSquared } from '../relu-squared/relu-squared.ts'
import { linear, linearReluSquared } from './linear.ts'

const ROWS = 1024

type Operation = (x: Tensor, weight: Tensor, residual: Tensor) => Tensor

/** `fused`, and the composed form of the same operation. */
function twins(
  what: string,
  [outputs, width]: readonly [number, number],
  fused: Operation,
  composed: Operation,
): Benches {
  const bench = (name: string, operation: Operation, rival?: string): Benches[number] => ({
    name: `linear/${name}`,
    shape: `[${ROWS}, ${width}] x [${outputs}, ${width}]`,
    work: { flops: 2 * ROWS * outputs * width },
    ...(rival !== undefined && { rival: { name: `linear/${rival}`, as: 'composed' } }),
    prepare(device) {
      const x = randomInput(device, [ROWS, width], 1).tensor
      const weight = randomInput(device, [outputs, width], 2).tensor
      const residual = randomInput(device, [ROWS, outputs], 3).tensor
      return {
        run() {
          using _scope = device.scope()
          operation(x, weight, residual)
        },
        async check() {
          using _scope = device.scope()
          const [found, expected] = [fused, composed].map((f) => f(x, weight, residual))
          expectNear(await found.data(), await expected.data(), { atol: 0 })
        },
      }
    },
  })
  return [bench(what, fused, `${what}_composed`), bench(`${what}_composed`, composed)]
}

/** tau-30m's feed-forward layer: the up projection with its activation, and the down projection with the
 *  residual. */
export const benches: Benches = [
  ...twins(
    'relu_squared_T1024',
    [1536, 384],
    (x, weight) => linearReluSquared(x, weight),
    (x, weight) => reluSquared(matmul(x, weight, 'nt')),
  ),
  ...twins('residual_T1024', [384, 1536], linear, (x, weight, residual) =>
    add(residual, matmul(x, weight, 'nt')),
  ),
]
