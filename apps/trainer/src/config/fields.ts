import { resolveConfig } from '@tau/model'
import { z } from 'zod'
import { configSchema } from './schema.ts'

/** One setting, with everything that help, flags and messages need. */
export interface Field {
  /** Key with its section, such as `train.lr`. */
  readonly path: string
  readonly section: string
  readonly description: string
  readonly kind: 'number' | 'boolean' | 'string' | 'list' | 'json'
  /** The allowed values, if the setting is a choice. */
  readonly choices: readonly string[] | undefined
  /** Rule for the value in words, such as `a whole number of at least 1`. */
  readonly rule: string
  readonly isNullable: boolean
  readonly unit: string | undefined
  /** Name of the value in help, such as `file`. */
  readonly value: string | undefined
  /** Value of a flag that is given without one. Undefined if the flag needs a value. */
  readonly bare: string | undefined
  /** Default in words. Undefined if there is none. */
  readonly defaultText: string | undefined
  /** Flags without dashes. Help shows the first. */
  readonly flags: readonly string[]
}

export interface Section {
  readonly name: string
  readonly description: string
  readonly fields: readonly Field[]
}

/** The part of JSON Schema that zod generates for our fields, and our own annotations. */
const propertySchema = z.object({
  type: z.enum(['string', 'number', 'integer', 'boolean', 'array', 'null']).optional(),
  enum: z.array(z.string()).optional(),
  anyOf: z.array(z.unknown()).optional(),
  minimum: z.number().optional(),
  exclusiveMinimum: z.number().optional(),
  maximum: z.number().optional(),
  exclusiveMaximum: z.number().optional(),
  default: z.unknown().optional(),
  description: z.string().optional(),
  unit: z.string().optional(),
  value: z.string().optional(),
  flag: z.string().optional(),
  none: z.string().optional(),
  bare: z.string().optional(),
  otherwise: z.string().optional(),
  isJson: z.boolean().optional(),
})
const sectionSchema = z.object({
  description: z.string().optional(),
  properties: z.record(z.string(), propertySchema),
})
type Property = z.output<typeof propertySchema>

/** All settings by section. They come from the schema only. A setting outside the sections (`out`) is in the
 *  section ''. */
export function configSections(): Section[] {
  const { properties } = z
    .object({ properties: z.record(z.string(), z.unknown()) })
    .parse(z.toJSONSchema(configSchema(), { io: 'input' }))
  const sections = Object.entries(properties).map(([name, value]) => {
    const section = sectionSchema.safeParse(value)
    if (section.success)
      return { name, description: section.data.description ?? '', properties: section.data.properties }
    return { name: '', description: '', properties: { [name]: propertySchema.parse(value) } }
  })
  const shortNames = sections.flatMap(({ properties }) =>
    Object.entries(properties).map(([key, { flag }]) => flag ?? kebab(key)),
  )
  const modelDefaults: Readonly<Record<string, unknown>> = { ...resolveConfig() }
  return sections.map(({ name, description, properties }) => ({
    name,
    description,
    fields: Object.entries(properties).map(([key, property]) => {
      const path = name === '' ? key : `${name}.${key}`
      const short = property.flag ?? kebab(key)
      const isShort =
        property.flag !== undefined ||
        (SHORT_SECTIONS.includes(name) && shortNames.filter((n) => n === short).length === 1)
      const fallback = name === 'model' ? modelDefaults[key] : undefined
      return fieldOf(property, { path, section: name, flags: isShort ? [short, path] : [path], fallback })
    }),
  }))
}

/** Sections whose keys are also flags without the name of the section, if no other section has the same
 *  key. */
const SHORT_SECTIONS: readonly string[] = ['model', 'train', 'device']

const kebab = (key: string): string => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

interface Place {
  readonly path: string
  readonly section: string
  readonly flags: readonly string[]
  /** Default of the model package. */
  readonly fallback: unknown
}

function fieldOf(property: Property, { path, section, flags, fallback }: Place): Field {
  const options = property.anyOf?.map((option) => propertySchema.parse(option)) ?? [property]
  const value = options.find(({ type }) => type !== 'null') ?? property
  const isNullable = options.some(({ type }) => type === 'null')
  const rule = property.isJson ? 'lists of groups of heads, as JSON' : ruleOf(value)
  return {
    path,
    section,
    description: property.description ?? '',
    kind: property.isJson ? 'json' : kindOf(value),
    choices: value.enum,
    rule: isNullable ? `${rule}, or null` : rule,
    isNullable,
    unit: property.unit,
    value: property.value,
    bare: kindOf(value) === 'boolean' ? 'true' : property.bare,
    defaultText: defaultText(property, fallback),
    flags: flags.length > 1 && flags[0] === flags[1] ? [flags[0]] : flags,
  }
}

function kindOf({ type }: Property): Field['kind'] {
  if (type === 'array') return 'list'
  if (type === 'boolean') return 'boolean'
  return type === 'number' || type === 'integer' ? 'number' : 'string'
}

function ruleOf({ type, enum: choices, ...limits }: Property): string {
  if (choices !== undefined) return `one of ${choices.join(', ')}`
  if (type === 'array') return 'a list of texts that are not empty'
  if (type === 'boolean') return 'true or false'
  if (type === 'string') return 'a text that is not empty'
  const bounds = [
    limits.minimum !== undefined && `at least ${limits.minimum}`,
    limits.exclusiveMinimum !== undefined && `greater than ${limits.exclusiveMinimum}`,
    limits.maximum !== undefined && limits.maximum < Number.MAX_SAFE_INTEGER && `at most ${limits.maximum}`,
    limits.exclusiveMaximum !== undefined && `less than ${limits.exclusiveMaximum}`,
  ].filter((bound) => bound !== false)
  const kind = type === 'integer' ? 'a whole number' : 'a number'
  if (bounds.length === 0) return kind
  return bounds[0].startsWith('at') ? `${kind} of ${bounds.join(' and ')}` : `${kind} ${bounds.join(' and ')}`
}

function defaultText(property: Property, fallback: unknown): string | undefined {
  if (property.otherwise !== undefined) return property.otherwise
  const value = property.default === undefined ? fallback : property.default
  if (value === undefined) return undefined
  if (value === null) return `none: ${property.none}`
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(' ')
  return typeof value === 'string' ? JSON.stringify(value).slice(1, -1) : String(value)
}
