import { Device } from '../device.ts'
import type { DType } from '../dtype.ts'
import { BackendError, DTypeError, described, ShapeError, shapeText } from '../errors.ts'
import { sameShape } from '../shape.ts'
import { Tensor } from '../tensor.ts'

/** For callers without type checks, who may pass an array or a promise of a tensor. */
export function checkTensor(op: string, name: string, value: unknown): void {
  if (!(value instanceof Tensor))
    throw new DTypeError(
      `${op}: ${name} must be a tensor, got ${described(value)}; make one with device.tensor(values)`,
    )
}

/** For callers without type checks, who may have forgotten to await the opening of the device. */
export function checkIsDevice(op: string, value: unknown): void {
  if (!(value instanceof Device))
    throw new DTypeError(`${op}: device must be a device, got ${described(value)}; open one with await cpu()`)
}

/** Checks that the tensors of an operation live on one device. */
export function checkDevice(op: string, first: Tensor<DType>, ...rest: readonly Tensor<DType>[]): void {
  for (const input of [first, ...rest]) checkTensor(op, 'every input', input)
  for (const other of rest)
    if (other.device !== first.device)
      throw new BackendError(
        `${op}: tensors must live on one device, got ${first.device.info.backend} and another ${other.device.info.backend} device; copy one with device.tensor(await t.data(), t.shape)`,
      )
}

export function checkDType(op: string, name: string, tensor: Tensor<DType>, dtype: DType): void {
  checkTensor(op, name, tensor)
  if (tensor.dtype !== dtype) throw new DTypeError(`${op}: ${name} must be ${dtype}, got ${tensor.dtype}`)
}

export function checkSameShape(op: string, a: Tensor<DType>, b: Tensor<DType>): void {
  if (!sameShape(a.shape, b.shape))
    throw new ShapeError(`${op}: shapes must be equal, got ${shapeText(a.shape)} and ${shapeText(b.shape)}`)
}

export function checkRank(op: string, name: string, tensor: Tensor<DType>, minimum: number): void {
  checkTensor(op, name, tensor)
  if (tensor.rank < minimum)
    throw new ShapeError(`${op}: ${name} must have at least ${minimum} axes, got ${shapeText(tensor.shape)}`)
}

/** Rows and columns of a tensor. Its last axis is the vector that the operation works on. */
export function rowsOf(op: string, x: Tensor<DType>): { rows: number; cols: number } {
  checkDType(op, 'x', x, 'f32')
  checkRank(op, 'x', x, 1)
  const cols = x.shape[x.rank - 1]
  return { rows: cols === 0 ? 0 : x.size / cols, cols }
}

/** Throws unless an array was passed where tensors are expected. */
export function checkTensorList(op: string, tensors: readonly Tensor<DType>[], advice: string): void {
  if (!Array.isArray(tensors))
    throw new DTypeError(`${op}: tensors must be an array of tensors, got ${described(tensors)}; ${advice}`)
}
