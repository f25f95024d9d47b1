import { isArray, isObject } from '@tau/testing/oracle'

/** The result of a runner: a tree with the shape of `expected` whose leaves are plain arrays of numbers. */
export type Found = number | ArrayLike<number> | { readonly [name: string]: Found }

/** Largest error divided by the f32 tolerance; at most 1 passes. */
export interface Verdict {
  readonly error: number
  /** The place of the error: `grads.lambda_q[3]`. */
  readonly at: string
}

const isLeaf = (value: Found): value is number | ArrayLike<number> =>
  typeof value === 'number' || 'length' in value

/** Compares every number of `expected`. A leaf that is missing is an infinite error. Integers without a
 *  tolerance must be equal. */
export function compare(found: Found | undefined, expected: unknown, tolerance: unknown, path = ''): Verdict {
  if (isArray(expected)) return compareArray(found, expected.data, tolerance, path)
  if (typeof expected === 'number') return compareArray(found, [expected], tolerance, path)
  if (!isObject(expected)) throw new Error(`oracle: expected ${path} must be an object, an array or a number`)
  let worst: Verdict = { error: 0, at: path }
  for (const [name, value] of Object.entries(expected)) {
    const child = found === undefined || isLeaf(found) ? undefined : found[name]
    const verdict = compare(
      child,
      value,
      isObject(tolerance) ? tolerance[name] : undefined,
      path ? `${path}.${name}` : name,
    )
    if (verdict.error > worst.error) worst = verdict
  }
  return worst
}

function compareArray(
  found: Found | undefined,
  expected: readonly number[],
  tolerance: unknown,
  path: string,
): Verdict {
  if (found === undefined || !isLeaf(found))
    return { error: Number.POSITIVE_INFINITY, at: `${path} (not found)` }
  const values = typeof found === 'number' ? [found] : found
  if (values.length !== expected.length)
    return { error: Number.POSITIVE_INFINITY, at: `${path} (${values.length} values for ${expected.length})` }
  const bound = isObject(tolerance) && typeof tolerance.f32 === 'number' ? tolerance.f32 : 0
  let worst: Verdict = { error: 0, at: path }
  for (let i = 0; i < expected.length; i++) {
    if (values[i] === expected[i]) continue
    const distance = Math.abs(values[i] - expected[i])
    const error = Number.isNaN(distance) || bound === 0 ? Number.POSITIVE_INFINITY : distance / bound
    if (error > worst.error) worst = { error, at: `${path}[${i}] = ${values[i]}, expected ${expected[i]}` }
  }
  return worst
}
