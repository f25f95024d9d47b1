import type { Benches } from '../case.bench.ts'
import { CAUSAL_SHAPES, type CausalShape } from '../causal.bench.ts'
import { lambdaForward, lambdaForwardBackward } from '../lambda-cases.bench.ts'

const rivalOf = (pass: string, { name }: CausalShape) => ({
  name: `dot-attention/${pass}_${name}`,
  as: 'dot',
})

/** λ-distance attention, timed in the same rounds as the dot product. */
export const benches: Benches = CAUSAL_SHAPES.flatMap((shape) => [
  {
    ...lambdaForward(`lambda-attention/forward_${shape.name}`, shape),
    rival: rivalOf('forward', shape),
  },
  {
    ...lambdaForwardBackward(`lambda-attention/forward_backward_${shape.name}`, shape),
    rival: rivalOf('forward_backward', shape),
  },
])
