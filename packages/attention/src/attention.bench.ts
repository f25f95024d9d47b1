import type { Device } from '@tau/tensor'
import type { KernelBench } from '@tau/testing'
import type { CausalShape } from './kernels/causal.bench.ts'
import { dotForward, dotForwardBackward } from './kernels/dot-cases.bench.ts'
import { lambdaForward, lambdaForwardBackward } from './kernels/lambda-cases.bench.ts'

// The ways to compute one attention, for the bench group `attention`. A name is <case>/<kernel>; kernels of
// one case are timed against each other. Records are kept by these names. So the algorithm 'sorted' is still
// called fast here.

type Kernel = 'fast' | 'quadratic' | 'dot'
const ALL: readonly Kernel[] = ['fast', 'quadratic', 'dot']

interface Setting {
  readonly length: number
  readonly heads?: number
  readonly dim?: number
  readonly hasDecay?: boolean
}

function attention(
  group: string,
  pass: 'forward' | 'train',
  { length, heads = 1, dim = 64, hasDecay = false }: Setting,
  kernels: readonly Kernel[],
): KernelBench<Device>[] {
  const suffix = `${heads > 1 ? `_H${heads}` : ''}${dim === 64 ? '' : `_D${dim}`}${hasDecay ? '_clock' : ''}`
  const name = `${group}/${pass}/T${length}${suffix}`
  const shape: CausalShape = { name, batch: 1, heads, length, dim }
  const [lambda, dot] =
    pass === 'forward' ? [lambdaForward, dotForward] : [lambdaForwardBackward, dotForwardBackward]
  return kernels.map((kernel) =>
    kernel === 'dot'
      ? dot(`${name}/dot`, shape)
      : lambda(`${name}/${kernel}`, shape, { algorithm: kernel === 'fast' ? 'sorted' : kernel, hasDecay }),
  )
}

/** The cases with a promised speed of λ-distance attention, and the same with six heads and with decay. */
const promised = (['forward', 'train'] as const).flatMap((pass) => [
  ...[1024, 8192].flatMap((length) => [
    ...attention('attention', pass, { length }, ALL),
    ...attention('attention', pass, { length, hasDecay: true }, ['fast', 'quadratic']),
    ...attention('attention', pass, { length, heads: 6 }, ALL),
  ]),
  ...attention('attention', pass, { length: 65_536 }, ['fast']),
  ...attention('attention', pass, { length: 65_536, hasDecay: true }, ['fast']),
  ...attention('attention', pass, { length: 65_536, heads: 6 }, ['fast']),
])

/** The lengths around which the fast kernel starts to win. */
const crossover = (['forward', 'train'] as const).flatMap((pass) =>
  [32, 64, 128].flatMap((dim) =>
    [false, true].flatMap((hasDecay) =>
      [32, 64, 96, 128, 192, 256, 384].flatMap((length) =>
        attention('crossover', pass, { length, dim, hasDecay }, ['fast', 'quadratic']),
      ),
    ),
  ),
)

/** Milliseconds against length. The quadratic kernels stop at the lengths that still take a bearable time. */
const sweep = (['forward', 'train'] as const).flatMap((pass) =>
  [128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 65_536, 131_072].flatMap((length) =>
    attention('sweep', pass, { length }, length > (pass === 'train' ? 16_384 : 32_768) ? ['fast'] : ALL),
  ),
)

export const benches: readonly KernelBench<Device>[] = [...promised, ...crossover, ...sweep]
