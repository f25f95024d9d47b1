import { kindFields } from '../attention/registry.ts'
import { checkFields, checkNames, failOn, type Values } from './check.ts'
import { type Fields, type FieldValue, type PresetName, presetValue } from './field.ts'
import { headFields, type SizeName, sizes, trunkFields } from './fields.ts'
import { checkGroups, checkManifold, headGroups, isOptionOf, kindNames } from './groups.ts'
import type { ModelConfig } from './model-config.ts'

export type ModelOptions = Partial<ModelConfig> & { preset?: PresetName; size?: SizeName }

/** All fields but `layers`, with the options of all registered kinds. */
export const modelFields = (): Fields => ({ ...trunkFields, ...headFields, ...kindFields() })

/** The names of presets. `default` is the best that we measured. `paper` is the published design: temperature
 *  1, τ = 1, no decay, no token shift, no gate. It reproduces the publication, but learns less well. */
export const presets = { default: 'default', paper: 'paper' } as const satisfies Record<
  PresetName,
  PresetName
>

const presetOf = (preset: PresetName): Record<string, FieldValue> =>
  Object.fromEntries(Object.entries(modelFields()).map(([name, field]) => [name, presetValue(field, preset)]))

function known<T extends object>(what: string, table: T, name: string): T[keyof T] {
  for (const [key, value] of Object.entries(table)) if (key === name) return value
  throw new Error(`config: ${what} must be one of ${Object.keys(table).join(', ')}, got ${name}`)
}

/** Fills in preset and size, then checks every rule. Options of kinds that no heads have are left out. Errors
 *  name the field, its value and the rule. */
export function resolveConfig(options: ModelOptions = {}): ModelConfig {
  const { preset = 'default', size = 'nano', ...rest } = options
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined))
  const values: Record<string, unknown> = {
    ...presetOf(known('preset', presets, preset)),
    layers: null,
    ...known('size', sizes, size),
    ...given,
  }
  if (given.nHead !== undefined && given.nKvHead === undefined) values.nKvHead = values.nHead
  return completeConfig(values)
}

/** Makes a configuration from values. There must be a value for every field of the model and of its kinds of
 *  attention. Options of other kinds are left out. Throws for unknown fields and for values that break a
 *  rule. */
export function completeConfig(values: Values): ModelConfig {
  checkNames(values, isField, failOn(values))
  const names = kindNames(values)
  const used = Object.entries(values).filter(([name]) => isShared(name) || isOptionOf(names, name))
  const config = Object.fromEntries(used)
  assertConfig(config)
  checkManifold(config)
  return config
}

/** Whether every model has this field, with any kind of attention. */
export const isShared = (name: string): boolean =>
  name === 'layers' || Object.hasOwn(trunkFields, name) || Object.hasOwn(headFields, name)
const isField = (name: string): boolean => isShared(name) || Object.hasOwn(kindFields(), name)

/** Throws unless the configuration is valid. The error names the field, the rule, the value and the next
 *  step. */
export function checkConfig(config: ModelConfig): void {
  assertConfig({ ...config })
  checkManifold(config)
}

function assertConfig(
  values: Record<string, unknown>,
): asserts values is Record<string, unknown> & ModelConfig {
  const fail = failOn(values)
  checkNames(values, isField, fail)
  checkFields(trunkFields, values, fail)
  const [nEmbd, nHead, nKvHead] = [values.nEmbd, values.nHead, values.nKvHead].map(Number)
  if (nEmbd % nHead !== 0)
    fail('nEmbd', `be a multiple of nHead = ${nHead}`, `use ${nHead * Math.ceil(nEmbd / nHead)}`)
  if (nHead % nKvHead !== 0) fail('nKvHead', `divide nHead = ${nHead}`, `use ${nHead}`)
  checkGroups(values)
}

/** Channels of a value head. */
export const headDim = (config: ModelConfig): number => config.nEmbd / config.nHead

const groupsWithLaplacian = (config: ModelConfig) =>
  headGroups(config)
    .flat()
    .filter(({ kind }) => kind.needsLaplacian)

/** Whether some heads need a Laplacian. */
export const needsLaplacian = (config: ModelConfig): boolean => groupsWithLaplacian(config).length > 0

/** Channels of a query or key head. If some heads need a Laplacian, it is the size of the Laplacian. */
export const manifoldDim = (config: ModelConfig): number =>
  groupsWithLaplacian(config).at(0)?.shape.dim ?? config.manifoldDim ?? headDim(config)
