/** A tensor's shape breaks a rule of the operation. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
}

/** An argument has the wrong type: it is not a tensor, or a tensor of another element type. */
export class DTypeError extends Error {
  override readonly name = 'DTypeError'
}

/** A backend is missing, closed, or out of memory, or one of its kernels failed. */
export class BackendError extends Error {
  override readonly name: string = 'BackendError'
}

/** The GPU of a device is lost: it was reset, unplugged, or taken by the system. Its contents are lost; open
 *  a new device. */
export class DeviceLostError extends BackendError {
  override readonly name = 'DeviceLostError'
}

/** Bytes or text do not have the expected format: they are truncated, state a wrong size, or have an
 *  unsupported type. */
export class FormatError extends Error {
  override readonly name = 'FormatError'
}

/** A shape as every message shows it: `[2, 3]`. */
export const shapeText = (shape: readonly number[]): string => `[${shape.join(', ')}]`

/** The kind of a value in words: `an array`, `a promise; await it`. */
export function described(value: unknown): string {
  if (value === undefined || value === null) return String(value)
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return 'an array'
  if (value instanceof Promise) return 'a promise; await it'
  // Bundlers put an underscore before the name of a class that names itself.
  if (typeof value === 'object')
    return `an object of class ${value.constructor?.name.replace(/^_/, '') ?? 'null'}`
  return `the ${typeof value} ${typeof value === 'function' ? value.name : String(value)}`
}
