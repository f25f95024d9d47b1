/** Error for an argument that breaks a rule, and for data that give no valid graph. Its form is `op: rule,
 *  got values; next step`. Damaged bytes of a file are a FormatError of @tau/tensor instead. */
export class GraphError extends Error {
  override name = 'GraphError'
}

/** Names a wrong argument for messages: "undefined", "Float32Array of 12", "number 3". */
export const nameOf = (value: unknown): string => {
  if (value === undefined || value === null) return String(value)
  if (typeof value !== 'object') return `${typeof value} ${String(value).slice(0, 40)}`
  const name = value.constructor?.name ?? 'object'
  return 'length' in value ? `${name} of ${value.length}` : name
}

/** Throws GraphError unless the required options are an object. `example` shows the fields that have no
 *  default. */
export const checkOptions = (op: string, options: unknown, example: string): void => {
  if (typeof options !== 'object' || options === null) {
    throw new GraphError(`${op}: options must be an object, got ${nameOf(options)}; pass at least ${example}`)
  }
}

/** Throws GraphError unless `value` is a string. */
export const checkString = (op: string, name: string, value: unknown): void => {
  if (typeof value !== 'string') throw new GraphError(`${op}: ${name} must be a string, got ${nameOf(value)}`)
}

/** Throws GraphError unless `value` is a list of numbers, as an array or a typed array. */
export const checkNumbers = (op: string, name: string, value: unknown): void => {
  if (typeof value !== 'object' || value === null || !('length' in value)) {
    throw new GraphError(`${op}: ${name} must be an array of numbers, got ${nameOf(value)}`)
  }
}

/** Throws GraphError unless `value` is a Uint8Array. */
export const checkBytes = (op: string, value: unknown): void => {
  if (!(value instanceof Uint8Array)) {
    throw new GraphError(`${op}: bytes must be a Uint8Array, got ${nameOf(value)}`)
  }
}

/** Throws GraphError unless `value` names a file or a folder: a path, a store, or a file of a store. */
export const checkPlace = (op: string, value: unknown): void => {
  if (typeof value === 'string') return
  if (typeof value === 'object' && value !== null && ('store' in value || 'list' in value)) return
  throw new GraphError(`${op}: the place must be a path, a store or { store, name }, got ${nameOf(value)}`)
}
