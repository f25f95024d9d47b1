import { record } from '../../autodiff/tape.ts'
import type { Handle } from '../../backends/engine.ts'
import { ShapeError, shapeText } from '../../errors.ts'
import { normalizeAxis, splitAt } from '../../shape.ts'
import type { Tensor } from '../../tensor.ts'
import { checkDevice, checkRank, checkTensorList } from '../check.ts'
import { fill } from '../fill/fill.ts'
import { kernelsOf } from '../table.ts'

/** A block of `rows` rows of `cols` elements inside a buffer: element (r, c) sits at offset + r·stride + c. */
export interface Block {
  readonly handle: Handle
  readonly offset: number
  readonly stride: number
}

/** target(r, c) = source(r, c); the blocks must not overlap. The rest of target stays as it is. */
export type CopyKernel = (source: Block, target: Block, rows: number, cols: number) => void

/** Copies rows × cols elements from a block of `source` into a block of `target`, in place. Offsets and
 *  strides are in elements. For caches, which own their tensors. No tape records it. */
export function copyBlock(
  source: { tensor: Tensor; offset: number; stride: number },
  target: { tensor: Tensor; offset: number; stride: number },
  rows: number,
  cols: number,
): void {
  checkDevice('copyBlock', source.tensor, target.tensor)
  if (rows === 0 || cols === 0) return
  for (const [name, { tensor, offset, stride }] of Object.entries({ source, target })) {
    const end = offset + (rows - 1) * stride + cols
    const whole = [offset, stride, rows, cols].every((n) => Number.isInteger(n) && n >= 0)
    if (!whole || end > tensor.size || (name === 'target' && rows > 1 && stride < cols))
      throw new ShapeError(
        `copyBlock: ${name} block must lie inside its ${tensor.size} elements without overlap, got offset ${offset}, ${rows} rows of ${cols}, stride ${stride}`,
      )
  }
  const block = ({ tensor, offset, stride }: { tensor: Tensor; offset: number; stride: number }): Block => ({
    handle: tensor.handle,
    offset,
    stride,
  })
  kernelsOf(source.tensor.device).copy(block(source), block(target), rows, cols)
}

/** Elements start … end−1 of `axis`, as a copy. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  checkRank('slice', 'x', x, 1)
  const at = normalizeAxis('slice', axis, x.rank)
  const { outer, length, inner } = splitAt(x.shape, at)
  if (!(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end && end <= length))
    throw new ShapeError(
      `slice: range must lie in [0, ${length}] on axis ${at} of ${shapeText(x.shape)}, got [${start}, ${end})`,
    )
  const out = x.device.empty(x.shape.with(at, end - start))
  const cols = (end - start) * inner
  const window = (handle: Handle): Block => ({ handle, offset: start * inner, stride: length * inner })
  const kernels = kernelsOf(x.device)
  kernels.copy(window(x.handle), { handle: out.handle, offset: 0, stride: cols }, outer, cols)
  return record('slice', [x], out, (dOut) => {
    const dX = fill(x.device, x.shape, 0)
    kernels.copy({ handle: dOut.handle, offset: 0, stride: cols }, window(dX.handle), outer, cols)
    return [dX]
  })
}

/** Joins tensors along `axis`; their other axes must be equal. */
export function concat(tensors: readonly Tensor[], axis: number): Tensor {
  checkTensorList('concat', tensors, 'write concat([a, b], axis)')
  if (tensors.length === 0) throw new ShapeError('concat: at least one tensor must be given, got none')
  const [first] = tensors
  checkDevice('concat', first, ...tensors)
  checkRank('concat', 'tensors', first, 1)
  const at = normalizeAxis('concat', axis, first.rank)
  for (const { shape } of tensors)
    if (shape.length !== first.rank || shape.some((n, i) => i !== at && n !== first.shape[i]))
      throw new ShapeError(
        `concat: shapes must be equal except on axis ${at}, got ${shapeText(first.shape)} and ${shapeText(shape)}`,
      )
  const total = tensors.reduce((sum, { shape }) => sum + shape[at], 0)
  const out = first.device.empty(first.shape.with(at, total))
  const { outer, inner } = splitAt(first.shape, at)
  const kernels = kernelsOf(first.device)
  let end = 0
  const starts = tensors.map(({ handle, shape }) => {
    const start = end
    const cols = shape[at] * inner
    kernels.copy(
      { handle, offset: 0, stride: cols },
      { handle: out.handle, offset: start * inner, stride: total * inner },
      outer,
      cols,
    )
    end += shape[at]
    return start
  })
  return record('concat', tensors, out, (dOut, wanted) =>
    tensors.map(({ shape }, i) => (wanted[i] ? slice(dOut, at, starts[i], starts[i] + shape[at]) : null)),
  )
}
