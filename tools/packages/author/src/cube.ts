import { mul, record, square, type Tensor } from '@tau/tensor'
import { kernelsOf } from './table.js'

/** x³ of each element, with its gradient 3·x²·dOut. */
export function cube(x: Tensor): Tensor {
  const out = x.device.empty(x.shape)
  kernelsOf(x.device).cube(x.handle, out.handle, x.size)
  return record('cube', [x], out, (dOut) => [mul(mul(square(x), 3), dOut)])
}
