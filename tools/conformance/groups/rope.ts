import { rope as rotate } from '@tau/attention'
import { outAndGradients, type Runner, tensorOf } from '../context.ts'

export const rope: Runner = async ({ inputs }, { device }) => {
  const x = tensorOf(device, inputs.array('x'))
  const options = { start: inputs.number('start'), base: inputs.number('base') }
  const { out, grads } = await outAndGradients({ x }, tensorOf(device, inputs.array('r')), () =>
    rotate(x, options),
  )
  // A vector of ones in its first half turns into (cos, −sin).
  const [length, dim] = x.shape.slice(-2)
  const unit = Float32Array.from({ length: length * dim }, (_, i) => (i % dim < dim / 2 ? 1 : 0))
  const turned = await rotate(device.tensor(unit, [1, 1, length, dim]), options).data()
  return {
    cos: turned.filter((_, i) => i % dim < dim / 2),
    sin: turned.filter((_, i) => i % dim >= dim / 2).map((value) => -value),
    out,
    grad_x: grads.x,
  }
}
