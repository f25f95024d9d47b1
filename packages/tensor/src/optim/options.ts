/** A numeric option of an optimizer. */
export interface NumberOption {
  readonly kind: 'number' | 'count'
  readonly default: number
  readonly min: number
  /** The largest value. */
  readonly max?: number
  /** Values must be smaller than this. */
  readonly below?: number
  /** One line for people: what it is. */
  readonly help: string
}

/** A boolean option of an optimizer. */
export interface FlagOption {
  readonly kind: 'flag'
  readonly default: boolean
  readonly help: string
}

/** Description of an option. Checks, help texts and configuration files use it, so they need not know the
 *  option's name. */
export type OptionSpec = NumberOption | FlagOption
export type OptionSpecs = Readonly<Record<string, OptionSpec>>

/** Values of all options. */
export type OptionValues<Specs extends OptionSpecs> = {
  readonly [K in keyof Specs]: Specs[K] extends FlagOption ? boolean : number
}

/** Every option with its value: the given value or the default. Throws an error with the option, its rule and
 *  the value. */
export function resolveOptions<Specs extends OptionSpecs>(
  title: string,
  specs: Specs,
  given: object,
): OptionValues<Specs> {
  const values = new Map<string, unknown>(Object.entries(given))
  for (const name of values.keys())
    if (!Object.hasOwn(specs, name))
      throw new RangeError(
        `${title}: options must be among ${Object.keys(specs).join(', ')}, got ${name}; leave it out`,
      )
  const resolved = Object.entries(specs).map(([name, spec]) => {
    const value = values.get(name) ?? spec.default
    if (!fits(spec, value)) throw new RangeError(`${title}: ${name} must be ${ruleOf(spec)}, got ${value}`)
    return [name, value]
  })
  return Object.fromEntries(resolved)
}

function fits(spec: OptionSpec, value: unknown): boolean {
  if (spec.kind === 'flag') return typeof value === 'boolean'
  const { kind, min, max = Number.MAX_VALUE, below = Number.POSITIVE_INFINITY } = spec
  if (typeof value !== 'number' || (kind === 'count' && !Number.isInteger(value))) return false
  return value >= min && value <= max && value < below
}

function ruleOf(spec: OptionSpec): string {
  if (spec.kind === 'flag') return 'true or false'
  const { kind, min, max, below } = spec
  const upper = max !== undefined ? ` and at most ${max}` : below !== undefined ? ` and below ${below}` : ''
  return `${kind === 'count' ? 'a whole number of ' : ''}at least ${min}${upper}`
}
