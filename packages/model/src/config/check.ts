import { brokenRule, type Fail, type Fields } from './field.ts'

export type Values = Readonly<Record<string, unknown>>

const show = (value: unknown): string =>
  typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value))

/** Returns a function that throws an error about one of these values. `path` is their place in the
 *  configuration. */
export const failOn =
  (values: Values, path = ''): Fail =>
  (field, rule, next) => {
    throw new Error(`config: ${path}${field} must ${rule}, got ${show(values[field])}; ${next}`)
  }

/** Throws for the first field whose value breaks its rule. */
export function checkFields(fields: Fields, values: Values, fail: Fail): void {
  for (const [name, field] of Object.entries(fields)) {
    const rule = brokenRule(field, values[name])
    if (rule !== undefined) fail(name, rule, 'correct it')
  }
}

/** Throws for the first value with an unknown name. */
export function checkNames(values: Values, isKnown: (name: string) => boolean, fail: Fail): void {
  for (const name of Object.keys(values))
    if (!isKnown(name)) fail(name, 'be left out, because no model has such a field', 'remove it')
}
