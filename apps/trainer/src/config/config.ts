import { migrateModelFields, resolveConfig } from '@tau/model'
import { checkTrainOptions, type RunSettings, type TrainOptions } from '@tau/train'
import { nearest, show, UsageError } from './errors.ts'
import { configSections, type Field } from './fields.ts'
import type { Source } from './file.ts'
import { checkOptimizerKeys, optimizerSettings } from './optimizer.ts'
import { type Config, configSchema } from './schema.ts'

/** A setting from the command line. Its value is still text; the kind of the field says how to read it. */
export interface FlagValue {
  /** Key with its section, such as `train.lr`. */
  readonly path: string
  /** The flag as the user typed it, such as `--lr`. */
  readonly flag: string
  readonly text: string | readonly string[]
}

/** Builds a configuration: `file` overrides the defaults, and `flags` override `file`. Checks the result as a
 *  whole. Throws UsageError with one line per problem: key, rule, value and its place. */
export function buildConfig(file: Source | undefined, flags: readonly FlagValue[]): Config {
  const fields = configSections().flatMap((section) => section.fields)
  const byPath = new Map(fields.map((field) => [field.path, field]))
  const values = cloneRecord(file?.values ?? {})
  // Older files have other names for some fields of the model.
  if (isTree(values.model)) values.model = migrateModelFields(values.model)
  const flagOf = new Map<string, string>()
  for (const { path, flag, text } of flags) {
    const field = byPath.get(path)
    if (field === undefined) throw new Error(`internal: flag ${flag} must set a known field, got ${path}`)
    setIn(values, path.split('.'), readFlag(field, text))
    flagOf.set(path, flag)
  }
  const parsed = configSchema().safeParse(values)
  const where = (path: readonly string[]) => flagOf.get(path.join('.')) ?? file?.where(path)
  if (!parsed.success) {
    const problems = parsed.error.issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey([...issue.path.map(String), key], values, { byPath, where }))
        : [wrongValue(issue.path.map(String), values, { byPath, where })],
    )
    throw new UsageError(Array.from(new Set(problems)).join('\n'))
  }
  checkTogether(parsed.data)
  return parsed.data
}

/** Checks rules between fields. The packages check their own rules; the name of the section is added to their
 *  messages. */
function checkTogether(config: Config): void {
  const { path, vocabSize } = config.tokenizer
  if (path !== undefined && vocabSize !== undefined)
    throw new UsageError(
      `config tokenizer.vocabSize: must be left out with tokenizer.path, because a tokenizer that is loaded already has its size, got ${vocabSize} and ${path}; leave one of them out`,
    )
  const { backend, blas } = config.device
  if (backend !== 'cpu' && blas !== null)
    throw new UsageError(
      `config device.blas: must be none unless the backend is cpu, because a BLAS only works in the memory of the cpu backend, got ${blas}; leave --blas out, or use --backend cpu`,
    )
  const renamed = (section: string, check: () => void) => {
    try {
      check()
    } catch (error) {
      if (!(error instanceof Error)) throw error
      throw new UsageError(error.message.replace(/^\w+: (\w+) /, `config ${section}.$1: `))
    }
  }
  renamed('model', () => resolveConfig(config.model))
  renamed('train', () => checkOptimizerKeys(config.train))
  renamed('train', () => checkTrainOptions(trainOptions(config)))
}

/** The configuration in the form that @tau/train takes. */
export const runSettingsOf = (config: Config): RunSettings => ({ ...config, train: trainOptions(config) })

/** The train section in the form that the training loop takes. null means "no limit" and becomes Infinity. */
export function trainOptions({ train }: Pick<Config, 'train'>): TrainOptions {
  return {
    ...train,
    optimizer: optimizerSettings(train),
    gradClip: train.gradClip ?? Number.POSITIVE_INFINITY,
    evalTokens: train.evalTokens ?? Number.POSITIVE_INFINITY,
  }
}

interface Known {
  readonly byPath: ReadonlyMap<string, Field>
  where(path: readonly string[]): string | undefined
}

const origin = (path: readonly string[], { where }: Known): string => {
  const place = where(path)
  return place === undefined ? '' : ` (${place})`
}

function unknownKey(path: readonly string[], values: unknown, known: Known): string {
  const name = path.join('.')
  const sections = Array.from(known.byPath.values(), (field) => field.section).filter(
    (section) => section !== '',
  )
  const names =
    path.length === 1 ? [...new Set(sections), ...known.byPath.keys()] : Array.from(known.byPath.keys())
  const near = nearest(name, names)
  const next = near === undefined ? 'tau train --help lists all keys' : `did you mean ${near}?`
  return `config ${name}: unknown key, got ${show(getIn(values, path))}${origin(path, known)}; ${next}`
}

function wrongValue(path: readonly string[], values: unknown, known: Known): string {
  // If the wrong value is inside a list, the message is about the whole list.
  let here = path
  while (here.length > 1 && !known.byPath.has(here.join('.'))) here = here.slice(0, -1)
  const field = known.byPath.get(here.join('.'))
  const rule = field === undefined ? `a section with keys such as ${exampleKey(here[0], known)}` : field.rule
  return `config ${here.join('.')}: must be ${rule}, got ${show(getIn(values, here))}${origin(here, known)}`
}

const exampleKey = (section: string, { byPath }: Known): string =>
  Array.from(byPath.values()).find((field) => field.section === section)?.path ?? 'train.lr'

/** Converts text of the command line to a value. Text that does not fit stays as it is, and the schema
 *  refuses it with its rule. */
function readFlag(field: Field, text: string | readonly string[]): unknown {
  if (typeof text !== 'string') return text
  if (field.isNullable && (text === 'none' || text === 'null')) return null
  if (field.kind === 'json') return parsedJson(text)
  if (field.kind === 'number' && text.trim() !== '' && Number.isFinite(Number(text))) return Number(text)
  if (field.kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true'
  return field.kind === 'list' ? [text] : text
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

type Tree = { [key: string]: unknown }

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Copies a configuration, which has two levels. */
function cloneRecord(value: unknown): Tree {
  if (!isTree(value)) return {}
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isTree(inner) ? { ...inner } : (inner ?? {})]),
  )
}

function setIn(tree: Tree, path: readonly string[], value: unknown): void {
  const [first, second] = path
  if (second === undefined) tree[first] = value
  else {
    const section = tree[first]
    // A section that is not a mapping stays as it is. The schema reports it.
    if (section === undefined) tree[first] = { [second]: value }
    else if (isTree(section)) section[second] = value
  }
}

function getIn(value: unknown, path: readonly string[]): unknown {
  let here = value
  for (const key of path) {
    if (!isTree(here) || !Object.hasOwn(here, key)) return undefined
    here = here[key]
  }
  return here
}
