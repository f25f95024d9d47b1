import { type Command, InvalidArgumentError, Option } from 'commander'
import { buildConfig, type FlagValue } from '../config/config.ts'
import { configSections, type Field } from '../config/fields.ts'
import { readConfigFile } from '../config/file.ts'
import type { Config } from '../config/schema.ts'
import { userPath } from '../paths.ts'

export interface FlagOptions {
  /** Paths that the command does not use. They get no flag. */
  readonly without?: readonly string[]
  /** Paths to show in help. The others work, but help does not show them. Default: all. */
  readonly shown?: readonly string[]
  /** Defaults in words that differ from those of the schema. */
  readonly defaults?: ReadonlyMap<string, string>
}

/** Adds a flag for every field of the sections ('' for `out`). Text, type, unit and default come from the
 *  schema. */
export function addConfigFlags(
  command: Command,
  sectionNames: readonly string[],
  options: FlagOptions = {},
): Command {
  const { shown, defaults, without = [] } = options
  for (const { name, description, fields } of configSections()) {
    if (!sectionNames.includes(name)) continue
    for (const field of fields) {
      if (without.includes(field.path)) continue
      const heading = name === '' || shown ? 'Options:' : `${name}: ${description}`
      const defaultText = defaults?.get(field.path) ?? field.defaultText
      field.flags.forEach((flag, i) => {
        const option = new Option(
          `--${flag} ${argumentOf(field)}`,
          helpOf({ ...field, defaultText }),
        ).helpGroup(heading)
        const isShown = i === 0 && (shown?.includes(field.path) ?? true)
        command.addOption(isShown ? option : option.hideHelp())
      })
    }
  }
  return command
}

function argumentOf({ kind, choices, value, bare }: Field): string {
  if (kind === 'boolean') return '[true|false]'
  if (kind === 'list') return '<file...>'
  if (choices !== undefined && choices.join('|').length <= 24) return `<${choices.join('|')}>`
  if (bare !== undefined) return `[${value ?? 'text'}]`
  return kind === 'number' ? '<number>' : `<${value ?? 'text'}>`
}

function helpOf({ description, unit, choices, defaultText, isNullable }: Field): string {
  const notes = [
    unit,
    choices !== undefined && choices.join('|').length > 24 ? choices.join(', ') : undefined,
    isNullable && !defaultText?.startsWith('none') ? 'or none' : undefined,
    defaultText === undefined ? undefined : `default ${defaultText}`,
  ].filter((note) => note !== undefined && note !== '')
  return notes.length === 0 ? description : `${description} (${notes.join('; ')})`
}

/** The configuration flags that were given, in the order of the schema. */
export function flagValues(command: Command): FlagValue[] {
  return configSections()
    .flatMap((section) => section.fields)
    .flatMap((field) =>
      field.flags.flatMap((flag): FlagValue[] => {
        const option = command.options.find(({ long }) => long === `--${flag}`)
        const text: unknown = option && command.getOptionValue(option.attributeName())
        // commander gives true for a flag without a value.
        if (text === true) return [{ path: field.path, flag: `--${flag}`, text: field.bare ?? 'true' }]
        if (typeof text === 'string') return [{ path: field.path, flag: `--${flag}`, text }]
        if (Array.isArray(text)) return [{ path: field.path, flag: `--${flag}`, text: text.map(String) }]
        return []
      }),
    )
}

/** Configuration of a command, from its flags and, if one is named, a file. */
export async function configOf(command: Command, file?: string): Promise<Config> {
  const source = file === undefined ? undefined : await readConfigFile(userPath(file))
  return buildConfig(source, flagValues(command))
}

/** Parses a number of the command line. */
export const numberOf =
  (name: string) =>
  (text: string): number => {
    if (text.trim() === '' || !Number.isFinite(Number(text)))
      throw new InvalidArgumentError(`${name} must be a number, got ${text}`)
    return Number(text)
  }

/** Parses a whole number of at least `min`. */
export const wholeNumber =
  (name: string, min: number) =>
  (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < min)
      throw new InvalidArgumentError(`${name} must be a whole number of at least ${min}, got ${text}`)
    return value
  }
