/** An array in the oracle's files: row-major elements and their shape; a scalar has the shape []. */
export interface OracleArray {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const isArray = (value: unknown): value is OracleArray =>
  isObject(value) && Array.isArray(value.shape) && Array.isArray(value.data)

/** An object of an oracle file. Its methods check the type of a field before they return it. */
export class Fields {
  readonly value: Readonly<Record<string, unknown>>
  readonly #path: string

  constructor(value: unknown, path: string) {
    if (!isObject(value))
      throw new Error(`oracle: ${path} must be an object, got ${JSON.stringify(value)?.slice(0, 60)}`)
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
    if (!Array.isArray(list)) throw new Error(`oracle: ${this.#path}.${name} must be a list`)
    return list.map((item, i) => new Fields(item, `${this.#path}.${name}[${i}]`))
  }

  array(name: string): OracleArray {
    const value = this.value[name]
    if (!isArray(value)) throw new Error(`oracle: ${this.#path}.${name} must be an array {shape, data}`)
    const size = value.shape.reduce((product, n) => product * n, 1)
    if (value.data.length !== size)
      throw new Error(
        `oracle: ${this.#path}.${name} of shape [${value.shape}] must have ${size} elements, got ${value.data.length}`,
      )
    return value
  }

  /** All fields as arrays: weights, gradients. */
  arrays(): Map<string, OracleArray> {
    return new Map(Object.keys(this.value).map((name) => [name, this.array(name)]))
  }

  number(name: string): number {
    const value = this.value[name]
    if (typeof value !== 'number')
      throw new Error(`oracle: ${this.#path}.${name} must be a number, got ${JSON.stringify(value)}`)
    return value
  }

  /** A number, or undefined if the oracle has null there. */
  optionalNumber(name: string): number | undefined {
    return this.has(name) ? this.number(name) : undefined
  }

  text(name: string): string {
    const value = this.value[name]
    if (typeof value !== 'string')
      throw new Error(`oracle: ${this.#path}.${name} must be text, got ${JSON.stringify(value)}`)
    return value
  }

  flag(name: string): boolean {
    return this.value[name] === true
  }
}
