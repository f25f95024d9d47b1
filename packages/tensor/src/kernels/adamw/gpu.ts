import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { CLIPPED_GRADIENT, IF_NORM_IS_FINITE } from '../global-norm/gpu-clip.ts'
import type { AdamWKernel } from './adamw.ts'

/** new moment = beta · old + rest · gᵖ, p = 1 or 2. The host computes rest = 1 − beta in f64. */
const moment = (name: string, value: string): GpuKernel => ({
  name,
  args: { old: 'buffer', grad: 'buffer', norm: 'buffer', beta: 'float', rest: 'float', maxNorm: 'float' },
  body: `
    ${IF_NORM_IS_FINITE} {
      const g = ${CLIPPED_GRADIENT}
      return beta * old[this.thread.x] + rest * ${value}
    }
    return old[this.thread.x]`,
})
const FIRST_MOMENT = moment('adamwFirstMoment', 'g')
const SECOND_MOMENT = moment('adamwSecondMoment', 'g * g')

/** decay = lr · weightDecay is a separate term, because 1 − decay would lose most of it to rounding in
 *  f32. */
const PARAMETER: GpuKernel = {
  name: 'adamwParameter',
  args: {
    param: 'buffer',
    m: 'buffer',
    v: 'buffer',
    norm: 'buffer',
    lr: 'float',
    decay: 'float',
    correction1: 'float',
    correction2: 'float',
    eps: 'float',
  },
  body: `
    const p = param[this.thread.x]
    ${IF_NORM_IS_FINITE} {
      const change = (m[this.thread.x] / correction1) / (Math.sqrt(v[this.thread.x] / correction2) + eps)
      return p - (decay * p + lr * change)
    }
    return p`,
}

export function adamwGpu(engine: GpuEngine): AdamWKernel {
  const firstMoment = engine.kernel(FIRST_MOMENT)
  const secondMoment = engine.kernel(SECOND_MOMENT)
  const parameter = engine.kernel(PARAMETER)
  return (param, grad, m, v, norm, n, { lr, beta1, beta2, eps, weightDecay, step, maxNorm }) => {
    firstMoment([m, grad, norm, beta1, 1 - beta1, maxNorm], [n], m)
    secondMoment([v, grad, norm, beta2, 1 - beta2, maxNorm], [n], v)
    parameter(
      [param, m, v, norm, lr, lr * weightDecay, 1 - beta1 ** step, 1 - beta2 ** step, eps],
      [n],
      param,
    )
  }
}
