import type { Benches } from '../case.bench.ts'
import { CAUSAL_SHAPES } from '../causal.bench.ts'
import { dotForward, dotForwardBackward } from '../dot-cases.bench.ts'

/** The baseline, on the shapes of λ-distance attention. */
export const benches: Benches = CAUSAL_SHAPES.flatMap((shape) => [
  dotForward(`dot-attention/forward_${shape.name}`, shape),
  dotForwardBackward(`dot-attention/forward_backward_${shape.name}`, shape),
])
