import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { AdamWKernel } from './adamw.ts'

export function adamwWasm(engine: CpuEngine): AdamWKernel {
  const launch = engine.kernel(tensorWasm, 'adamw')
  return (param, grad, m, v, norm, n, { lr, beta1, beta2, eps, weightDecay, step, maxNorm }) => {
    // Differences from 1 are computed here in f64, because 1 − 0.999 would lose four digits in f32. The decay
    // is a separate term for the same reason.
    const moments = [beta1, 1 - beta1, beta2, 1 - beta2]
    const rate = lr / (1 - beta1 ** step)
    const unbias = 1 / Math.sqrt(1 - beta2 ** step)
    launch(
      [param, grad, m, v, norm, maxNorm, ...moments, rate, lr * weightDecay, unbias, eps],
      n,
      ELEMENT_GRAIN,
      touches(7 * n), // parameter and moments in and out, gradient in
    )
  }
}
