import { add, div, mean, mul, reshape, sqrt, square, sub, type Tensor } from '@tau/tensor'

/** (x − mean) / √(variance + 1e-5) · weight + bias over the last axis; composed, for the baseline only. */
export function layerNorm(x: Tensor, weight: Tensor, bias: Tensor): Tensor {
  const column = [...x.shape.slice(0, -1), 1]
  const centred = sub(x, reshape(mean(x, [-1]), column))
  const variance = reshape(mean(square(centred), [-1]), column)
  const deviation = sqrt(add(variance, x.device.scalar(1e-5)))
  return add(mul(div(centred, deviation), weight), bias)
}
