import type { AttentionKind, HeadShape } from '../attention/kind.ts'
import { attentionKind, attentionKinds, kindFields } from '../attention/registry.ts'
import { positionalKind } from '../position/encodings.ts'
import { checkFields, checkNames, failOn, type Values } from './check.ts'
import type { Fail, FieldValue } from './field.ts'
import { headFields } from './fields.ts'
import type { HeadGroupOptions, ModelConfig } from './model-config.ts'

/** A group of heads of a layer that have the same configuration. */
export interface HeadGroup {
  /** Prefix of its parameter names, after the prefix of the layer. Empty if the layer has no other group. */
  readonly prefix: string
  readonly kind: AttentionKind
  readonly shape: HeadShape
  /** The fields of the model, replaced by those of the group. */
  readonly config: ModelConfig
}

/** The groups of every layer. */
export function headGroups(config: ModelConfig): readonly (readonly HeadGroup[])[] {
  const pattern = patternOf(config).map((groups) => layerGroups(config, groups))
  return Array.from({ length: config.nLayer }, (_, layer) => pattern[layer % pattern.length])
}

const patternOf = ({ layers }: Pick<ModelConfig, 'layers'>) => layers ?? [[{}]]

function layerGroups(config: ModelConfig, groups: readonly HeadGroupOptions[]): HeadGroup[] {
  const { nHead, nKvHead, nEmbd } = config
  const named = groups.reduce((sum, { kvHeads = 0 }) => sum + kvHeads, 0)
  return groups.map(({ kvHeads = nKvHead - named, ...own }, i) => {
    const merged: ModelConfig = { ...config, ...own }
    const { manifoldDim, positiveAs, decay, attention } = merged
    const valueDim = nEmbd / nHead
    return {
      prefix: groups.length > 1 ? `groups.${i}.` : '',
      kind: attentionKind(attention),
      shape: {
        ...{ heads: (kvHeads * nHead) / nKvHead, kvHeads, dim: manifoldDim ?? valueDim, valueDim },
        ...{ positiveAs, hasDecay: decay !== 'none' },
      },
      config: merged,
    }
  })
}

/** The options of the kind of attention of a group. */
export const kindOptions = ({ kind, config }: HeadGroup): Record<string, FieldValue> =>
  Object.fromEntries(
    Object.entries(config).filter(
      (entry): entry is [string, FieldValue] =>
        Object.hasOwn(kind.options, entry[0]) && isFieldValue(entry[1]),
    ),
  )

const isFieldValue = (value: unknown): value is FieldValue => value === null || typeof value !== 'object'

const isObject = (value: unknown): value is Values =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Names of the kinds of attention that some heads have. The values are not checked yet. */
export function kindNames({ attention, layers }: Values): ReadonlySet<unknown> {
  const groups: readonly unknown[] = Array.isArray(layers) ? layers.flat() : [{}]
  return new Set(
    groups.map((group) => (isObject(group) && 'attention' in group ? group.attention : attention)),
  )
}

/** Whether a field is an option of one of the named kinds. */
export const isOptionOf = (names: ReadonlySet<unknown>, field: string): boolean =>
  attentionKinds().some(({ name, options }) => names.has(name) && Object.hasOwn(options, field))

/** Throws unless the groups of each layer together have all its heads, and the fields of every group are
 *  valid. */
export function checkGroups(values: Values): void {
  const fail = failOn(values)
  const { layers } = values
  if (layers !== null && !(Array.isArray(layers) && layers.length > 0 && layers.every(isGroupList)))
    fail('layers', 'be null, or lists of one or more groups of heads', 'write [[{…}, {…}], …]')
  if (layers === null) checkGroup(values, fail)
  else {
    // Only the names of the own fields are checked here, because the values are checked together with those
    // of the model.
    const lists: readonly (readonly Values[])[] = Array.isArray(layers) ? layers : []
    lists.forEach((groups, i) => {
      checkShares(groups, Number(values.nKvHead), `layers[${i}]`)
      groups.forEach((own, j) => {
        const path = `layers[${i}][${j}].`
        checkNames(
          own,
          (name) =>
            name === 'kvHeads' || Object.hasOwn(headFields, name) || Object.hasOwn(kindFields(), name),
          failOn(own, path),
        )
        const merged = { ...values, ...own }
        checkGroup(merged, failOn(merged, path))
      })
    })
  }
}

const isGroupList = (value: unknown): value is readonly Values[] =>
  Array.isArray(value) && value.length > 0 && value.every(isObject)

/** Throws unless the kv heads of the groups of a layer add up to those of the model. One group may leave its
 *  number out. */
function checkShares(groups: readonly Values[], nKvHead: number, path: string): void {
  const isCount = (n: unknown) => typeof n === 'number' && Number.isInteger(n) && n >= 1
  groups.forEach((group, j) => {
    if (group.kvHeads !== undefined && !isCount(group.kvHeads))
      failOn(group, `${path}[${j}].`)('kvHeads', 'be a whole number of at least 1', 'correct it')
  })
  const open = groups.filter(({ kvHeads }) => kvHeads === undefined).length
  const named = groups.reduce((sum, { kvHeads }) => sum + Number(kvHeads ?? 0), 0)
  if (open > 1 || (open === 1 ? named >= nKvHead : named !== nKvHead))
    throw new Error(
      `config: ${path} must share out nKvHead = ${nKvHead} heads, got kvHeads ${groups.map(({ kvHeads }) => kvHeads ?? '(the rest)').join(', ')}; correct them`,
    )
}

/** Throws unless all heads that need a Laplacian have the same width, because they share one Laplacian. */
export function checkManifold(config: ModelConfig): void {
  const widths = headGroups(config)
    .flat()
    .filter(({ kind }) => kind.needsLaplacian)
    .map(({ shape }) => shape.dim)
  const other = widths.find((dim) => dim !== widths[0])
  if (other !== undefined)
    throw new Error(
      `config: manifoldDim must be the same for all heads with a Laplacian, got ${widths[0]} and ${other}; correct layers`,
    )
}

/** Throws if a field of a group breaks its rule. */
function checkGroup(values: Values, fail: Fail): void {
  checkFields(headFields, values, fail)
  const kind = attentionKind(String(values.attention))
  checkFields(kind.options, values, fail)
  kind.check?.(
    Object.fromEntries(
      Object.entries(values).filter((entry): entry is [string, FieldValue] => isFieldValue(entry[1])),
    ),
    fail,
  )
  const { manifoldDim, nEmbd, nHead, nKvHead, decay, decayRate, learnDecayRate, positiveAs, sharedQk } =
    values
  const dim = Number(manifoldDim ?? Number(nEmbd) / Number(nHead))
  if (dim < 2) fail('manifoldDim', `be at least 2 (here ${dim})`, 'set manifoldDim')
  const refusal = positionalKind(values.positionalEncoding === 'none' ? 'none' : 'rope').refuses?.(dim)
  if (refusal !== undefined) fail('manifoldDim', `${refusal} (here ${dim})`, 'set another manifoldDim')
  if (decay === 'constant' && learnDecayRate && positiveAs === 'log' && decayRate === 0)
    fail('decayRate', 'start above 0 when it is learned as a logarithm', 'set decayRate to 0.02')
  if (sharedQk && nHead !== nKvHead)
    fail('sharedQk', `be false with nHead ${nHead} above nKvHead ${nKvHead}`, 'set nKvHead to nHead')
}
