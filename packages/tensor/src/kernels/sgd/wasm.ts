import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import { type SgdKernel, sgdWeights } from './sgd.ts'

/** The address that means "no velocity". No tensor lies there. */
const NONE = 0

export function sgdWasm(engine: CpuEngine): SgdKernel {
  const launch = engine.kernel(tensorWasm, 'sgd')
  return (param, grad, velocity, norm, n, step) => {
    const { lr, momentum, weightDecay, maxNorm } = step
    const { own, past } = sgdWeights(step)
    // The decay is a separate term, because 1 − lr·weightDecay would lose most of it in f32.
    launch(
      [param, grad, velocity ?? NONE, norm, maxNorm, momentum, own, past, lr, lr * weightDecay],
      n,
      ELEMENT_GRAIN,
      touches((velocity === undefined ? 3 : 5) * n), // parameter and velocity in and out, gradient in
    )
  }
}
