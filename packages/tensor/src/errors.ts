/** A tensor's shape breaks a rule of the operation. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
}

/** An argument is of the wrong type: no tensor where one is needed, or one of another element type. */
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

/** What kind of value a caller passed, in words: `an array`, `a promise; await it`. */
export function described(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return 'an array'
  if (value instanceof Promise) return 'a promise; await it'
  if (typeof value === 'object') return `an object of class ${value.constructor?.name ?? 'null'}`
  return `the ${typeof value} ${typeof value === 'function' ? value.name : String(value)}`
}
