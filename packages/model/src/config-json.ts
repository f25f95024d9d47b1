import { checkConfig, type ModelConfig, resolveConfig } from './config.ts'

const MODEL_TYPES = { tau: 'tau_gpt', dot: 'gpt' } as const
const ARCHITECTURES = { tau: 'TauGPT', dot: 'GPT' } as const

const toSnake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** config.json in Hugging Face's shape: snake_case keys, `model_type` and `architectures`. */
export function configToJson(config: ModelConfig): string {
  const fields = Object.entries(config).map(([name, value]) => [toSnake(name), value])
  const { attention } = config
  const head = { model_type: MODEL_TYPES[attention], architectures: [ARCHITECTURES[attention]] }
  return `${JSON.stringify({ ...head, ...Object.fromEntries(fields) }, null, 2)}\n`
}

/** Reads config.json. Throws for text that is not JSON, a missing, unknown or mistyped field, and for impossible values.
 *  @param source names the file in errors */
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
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return fail(`must be a JSON object, got ${text.slice(0, 40)}`)
  const { model_type: modelType, architectures: _, ...fields } = json as Record<string, unknown>
  const template: Record<string, unknown> = { ...resolveConfig() }
  const config: Record<string, unknown> = {}
  const names = new Map(Object.keys(template).map((name) => [toSnake(name), name]))
  for (const [key, value] of Object.entries(fields)) {
    const name = names.get(key)
    if (!name) return fail(`${key} is not a field of the model, got ${JSON.stringify(value)}; remove it`)
    const nullable = name === 'manifoldDim' || name === 'softcap'
    const expected = nullable ? 'number' : typeof template[name]
    if (typeof value !== expected && !(nullable && value === null))
      return fail(`${key} must be a ${expected}${nullable ? ' or null' : ''}, got ${JSON.stringify(value)}`)
    config[name] = value
  }
  for (const [key, name] of names)
    if (!(name in config)) return fail(`${key} must be there, got no such field`)
  if (!isConfig(config)) return fail('must hold every field of a model')
  try {
    checkConfig(config)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
  const expected = MODEL_TYPES[config.attention]
  if (modelType !== expected)
    return fail(
      `model_type must be ${expected} for ${config.attention} attention, got ${JSON.stringify(modelType)}`,
    )
  return config
}

/** Types were compared field by field with a complete configuration; the values' rules are checkConfig's. */
const isConfig = (value: object): value is ModelConfig => 'attention' in value && 'softcap' in value
