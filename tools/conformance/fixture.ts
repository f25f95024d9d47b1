/** The fixtures' format: {group, seed, cases: [{name, inputs, expected, tolerance}]}, an array is {shape, data}. */
export interface Case {
  readonly name: string
  readonly inputs: Fields
  readonly expected: unknown
  readonly tolerance: unknown
}

export interface Group {
  readonly group: string
  readonly seed: number
  readonly cases: readonly Case[]
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export interface NumberArray {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

export const isArray = (value: unknown): value is NumberArray =>
  isObject(value) && Array.isArray(value.shape) && Array.isArray(value.data)

/** An object whose fields are read with their types checked. */
export class Fields {
  readonly value: Readonly<Record<string, unknown>>
  readonly #path: string

  constructor(value: unknown, path: string) {
    if (!isObject(value))
      throw new Error(`fixture: ${path} must be an object, got ${JSON.stringify(value)?.slice(0, 60)}`)
    this.value = value
    this.#path = path
  }

  has(name: string): boolean {
    return this.value[name] !== undefined && this.value[name] !== null
  }

  fields(name: string): Fields {
    return new Fields(this.value[name], `${this.#path}.${name}`)
  }

  list(name: string): Fields[] {
    const list = this.value[name]
    if (!Array.isArray(list)) throw new Error(`fixture: ${this.#path}.${name} must be a list`)
    return list.map((item, i) => new Fields(item, `${this.#path}.${name}[${i}]`))
  }

  array(name: string): NumberArray {
    const value = this.value[name]
    if (!isArray(value)) throw new Error(`fixture: ${this.#path}.${name} must be an array {shape, data}`)
    return value
  }

  /** All fields as arrays: weights, gradients. */
  arrays(): Map<string, NumberArray> {
    return new Map(Object.keys(this.value).map((name) => [name, this.array(name)]))
  }

  number(name: string): number {
    const value = this.value[name]
    if (typeof value !== 'number')
      throw new Error(`fixture: ${this.#path}.${name} must be a number, got ${JSON.stringify(value)}`)
    return value
  }

  /** A number, or null where the oracle means none. */
  optionalNumber(name: string): number | undefined {
    return this.has(name) ? this.number(name) : undefined
  }

  text(name: string): string {
    const value = this.value[name]
    if (typeof value !== 'string')
      throw new Error(`fixture: ${this.#path}.${name} must be text, got ${JSON.stringify(value)}`)
    return value
  }

  flag(name: string): boolean {
    return this.value[name] === true
  }
}

/** A group from the text of its file. */
export function parseGroup(file: string, text: string): Group {
  const fields = new Fields(JSON.parse(text), file)
  const cases = fields.list('cases').map((item) => ({
    name: item.text('name'),
    inputs: item.fields('inputs'),
    expected: item.value.expected,
    tolerance: item.value.tolerance,
  }))
  return { group: fields.text('group'), seed: fields.number('seed'), cases }
}
