import { ShapeError, shapeText } from '../../errors.ts'
import type { Tensor } from '../../tensor.ts'
import { add, div, mul, sub } from '../binary/binary.ts'
import { rowsOf } from '../check.ts'
import { mean } from '../reduce/mean.ts'
import { reshape } from '../reshape/reshape.ts'
import { sqrt, square } from '../unary/unary.ts'

/** (x − mean) / √(variance + eps) · weight + bias over the last axis of x [..., C]. weight and bias are [C];
 *  each may be left out. It is composed of other operations and passes over x about ten times.
 *  {@link rmsNorm} is one kernel.
 *  Source: Ba, Kiros and Hinton, Layer Normalization (2016). */
export function layerNorm(x: Tensor, weight?: Tensor, bias?: Tensor, eps = 1e-5): Tensor {
  const { cols } = rowsOf('layerNorm', x)
  for (const [name, tensor] of Object.entries({ weight, bias }))
    if (tensor && (tensor.rank !== 1 || tensor.size !== cols))
      throw new ShapeError(`layerNorm: ${name} must be [${cols}], got ${shapeText(tensor.shape)}`)
  if (!(eps >= 0)) throw new RangeError(`layerNorm: eps must be at least 0, got ${eps}`)
  const column = [...x.shape.slice(0, -1), 1]
  const centred = sub(x, reshape(mean(x, -1), column))
  const variance = reshape(mean(square(centred), -1), column)
  const normal = div(centred, sqrt(add(variance, eps)))
  const scaled = weight ? mul(normal, weight) : normal
  return bias ? add(scaled, bias) : scaled
}
