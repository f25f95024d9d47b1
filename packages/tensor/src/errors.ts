/** A tensor's shape breaks a rule of the operation. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
}

/** A tensor's element type breaks a rule of the operation. */
export class DTypeError extends Error {
  override readonly name = 'DTypeError'
}

/** A backend is missing, closed, out of memory, or a kernel failed in it. */
export class BackendError extends Error {
  override readonly name: string = 'BackendError'
}

/** The GPU behind a device is gone: reset, unplugged, or taken by the system. What was on it is lost; open a new device. */
export class DeviceLostError extends BackendError {
  override readonly name = 'DeviceLostError'
}

/** Bytes or text that are not what they claim to be: truncated, lying about a size, of an unsupported type. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}

/** `[2, 3]`, as every message writes a shape. */
export const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`
