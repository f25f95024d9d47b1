import { described } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import type { CommonOptions, NamedTensors, ParameterGroup } from './optimizer.ts'

/** A parameter with the settings of its group. */
export interface Parameter {
  readonly name: string
  readonly tensor: Tensor
  readonly lrScale: number
  readonly weightDecay: number
  readonly isHidden: boolean
}

/** The parameters in their order, each with the settings of its group. `title` names the optimizer in
 *  errors. */
export function parametersOf(
  title: string,
  named: NamedTensors,
  { weightDecay = 0, groups = [] }: CommonOptions,
): Parameter[] {
  checkNumber(title, 'weightDecay', weightDecay)
  if (typeof named !== 'object' || named === null)
    throw new TypeError(
      `${title}: parameters must be tensors by name, got ${described(named)}; pass { weight } or model.parameters`,
    )
  const tensors = new Map(Symbol.iterator in named ? named : Object.entries(named))
  if (tensors.size === 0)
    throw new RangeError(`${title}: at least one parameter must be given, got none; pass model.parameters`)
  const groupOf = new Map<string, ParameterGroup>()
  for (const group of groups) {
    checkNumber(title, 'lrScale', group.lrScale ?? 1)
    checkNumber(title, 'weightDecay', group.weightDecay ?? 0)
    for (const name of group.names) {
      if (!tensors.has(name))
        throw new RangeError(
          `${title}: groups must name parameters, got ${name}; see the names of parameters`,
        )
      if (groupOf.has(name))
        throw new RangeError(
          `${title}: a parameter must be in one group, got ${name} in two; take it out of one`,
        )
      groupOf.set(name, group)
    }
  }
  return Array.from(tensors, ([name, tensor]) => {
    const group = groupOf.get(name)
    return {
      name,
      tensor,
      lrScale: group?.lrScale ?? 1,
      weightDecay: group?.weightDecay ?? (tensor.rank >= 2 ? weightDecay : 0),
      isHidden: group?.isHidden ?? false,
    }
  })
}

function checkNumber(title: string, name: string, value: number): void {
  if (!(value >= 0 && Number.isFinite(value)))
    throw new RangeError(`${title}: ${name} must be a finite number of at least 0, got ${value}`)
}
