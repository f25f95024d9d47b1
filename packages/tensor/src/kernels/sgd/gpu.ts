import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import { CLIPPED_GRADIENT, IF_NORM_IS_FINITE } from '../global-norm/gpu-clip.ts'
import { type SgdKernel, sgdWeights } from './sgd.ts'

const VELOCITY: GpuKernel = {
  name: 'sgdVelocity',
  args: { velocity: 'buffer', grad: 'buffer', norm: 'buffer', momentum: 'float', maxNorm: 'float' },
  body: `
    ${IF_NORM_IS_FINITE} {
      return momentum * velocity[this.thread.x] + ${CLIPPED_GRADIENT}
    }
    return velocity[this.thread.x]`,
}

/** decay = lr · weightDecay is a separate term, because 1 − decay would lose most of it to rounding in
 *  f32. */
const PARAMETER: GpuKernel = {
  name: 'sgdParameter',
  args: {
    param: 'buffer',
    grad: 'buffer',
    velocity: 'buffer',
    norm: 'buffer',
    maxNorm: 'float',
    own: 'float',
    past: 'float',
    lr: 'float',
    decay: 'float',
  },
  body: `
    const p = param[this.thread.x]
    ${IF_NORM_IS_FINITE} {
      const direction = own * ${CLIPPED_GRADIENT} + past * velocity[this.thread.x]
      return p - (decay * p + lr * direction)
    }
    return p`,
}

export function sgdGpu(engine: GpuEngine): SgdKernel {
  const nextVelocity = engine.kernel(VELOCITY)
  const parameter = engine.kernel(PARAMETER)
  return (param, grad, velocity, norm, n, step) => {
    const { lr, momentum, weightDecay, maxNorm } = step
    if (velocity !== undefined) nextVelocity([velocity, grad, norm, momentum, maxNorm], [n], velocity)
    // Without a velocity, the gradient takes its place as a buffer, with weight 0.
    const { own, past } = velocity === undefined ? { own: 1, past: 0 } : sgdWeights(step)
    parameter([param, grad, velocity ?? grad, norm, maxNorm, own, past, lr, lr * weightDecay], [n], param)
  }
}
