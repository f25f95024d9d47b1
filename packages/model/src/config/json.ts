import type { AttentionKind } from '../attention/kind.ts'
import { attentionKind } from '../attention/registry.ts'
import type { Values } from './check.ts'
import { completeConfig, isShared, modelFields } from './config.ts'
import type { Field } from './field.ts'
import { headGroups, isOptionOf, kindNames } from './groups.ts'
import { FORMAT, migrateModelFields } from './migrate.ts'
import type { ModelConfig } from './model-config.ts'

const toSnake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const toCamel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The same value with all keys renamed, also inside lists, because groups of heads are objects in lists. */
function renameKeys(value: unknown, rename: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renameKeys(item, rename))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [rename(name), renameKeys(inner, rename)]),
  )
}

/** Text of config.json in the form of Hugging Face: snake_case keys, `model_type` and `architectures`. It has
 *  `layers` only if groups of heads differ. */
export function configToJson(config: ModelConfig): string {
  const { layers, ...fields } = config
  const { modelType, architecture } = kindOf(config)
  const head = { model_type: modelType, architectures: [architecture], format: FORMAT }
  const own = renameKeys({ ...fields, ...(layers && { layers }) }, toSnake)
  return `${JSON.stringify({ ...head, ...(isObject(own) ? own : {}) }, null, 2)}\n`
}

/** The kind that names the model: the kind of the configuration if some heads have it, else the kind of the
 *  first heads. */
function kindOf(config: ModelConfig): AttentionKind {
  return kindNames({ ...config }).has(config.attention)
    ? attentionKind(config.attention)
    : headGroups(config)[0][0].kind
}

/** Reads a config.json of any format. Throws if the text is not JSON, if a field is missing, unknown or has
 *  the wrong type, or if a value is invalid. @param source names the file in errors */
export function configFromJson(text: string, source = 'config.json'): ModelConfig {
  const fail = (message: string): never => {
    throw new Error(`${source}: ${message}`)
  }
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    return fail(`must be JSON, got ${error instanceof Error ? error.message : error}`)
  }
  if (!isObject(json)) return fail(`must be a JSON object, got ${text.slice(0, 40)}`)
  const { model_type: modelType, architectures: _, format = 1, ...fields } = json
  if (format !== 1 && format !== FORMAT)
    return fail(
      `format must be ${FORMAT} or less, got ${JSON.stringify(format)}; use the version that wrote it`,
    )
  try {
    const config = completeConfig(valuesOf(fields, format))
    const expected = kindOf(config).modelType
    if (modelType !== expected)
      return fail(
        `model_type must be ${expected} for ${config.attention} attention, got ${JSON.stringify(modelType)}`,
      )
    return config
  } catch (error) {
    return fail(error instanceof Error ? error.message.replace(`${source}: `, '') : String(error))
  }
}

/** A value for every field, from the keys of a file. If the file is older than a field, the field gets the
 *  value that means the behaviour of that time. */
function valuesOf(file: Values, format: number): Values {
  const named = Object.fromEntries(
    Object.entries(file).map(([key, value]) => [
      nameOf(key),
      key === 'layers' ? renameKeys(value, toCamel) : value,
    ]),
  )
  const fields = format === 1 ? migrateModelFields(named) : named
  const known = modelFields()
  for (const [name, value] of Object.entries(fields))
    if (name !== 'layers' && !Object.hasOwn(known, name))
      throw new Error(`${toSnake(name)} is not a field of the model, got ${JSON.stringify(value)}; remove it`)
  const names = kindNames({ layers: null, ...fields })
  const values: Record<string, unknown> = { layers: null, ...fields }
  for (const [name, field] of Object.entries(known))
    if (!Object.hasOwn(fields, name) && (isShared(name) || isOptionOf(names, name)))
      values[name] = absent(name, field)
  return values
}

/** The name of the field for a key. Throws if the key is not in snake_case. */
function nameOf(key: string): string {
  const name = toCamel(key)
  if (toSnake(name) !== key) throw new Error(`${key} is not a field of the model; remove it`)
  return name
}

function absent(name: string, { absent: value }: Field): unknown {
  if (value === undefined) throw new Error(`${toSnake(name)} must be there, got no such field`)
  return value
}
