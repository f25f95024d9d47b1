import { type OptimizerName, type OptimizerSettings, type OptionSpec, optimizers } from '@tau/tensor/optim'
import { z } from 'zod'

// The options of all optimizers. Each optimizer describes its own options. In a configuration they are keys
// of `train`, beside `train.optimizer`. If several optimizers have an option, it is one key.

type OptionName = { [N in OptimizerName]: keyof (typeof optimizers)[N]['options'] }[OptimizerName]

export const optimizerNames = Object.keys(optimizers) as [OptimizerName, ...OptimizerName[]]

export const optimizerHelp = `Optimizer that updates the parameters: ${optimizerNames
  .map((name) => `${name}, ${optimizers[name].help}`)
  .join('; ')}`

const optionsOf = (name: OptimizerName): Readonly<Record<string, OptionSpec>> => optimizers[name].options

/** The optimizers that have an option. */
const ownersOf = (option: string): OptimizerName[] =>
  optimizerNames.filter((name) => Object.hasOwn(optionsOf(name), option))

const optionNames = Array.from(new Set(optimizerNames.flatMap((name) => Object.keys(optionsOf(name)))))

/** Schema of each option. All are optional, because the optimizer has the defaults. */
export const optimizerFields = Object.fromEntries(
  optionNames.map((option) => {
    const specs = ownersOf(option).map((name) => optionsOf(name)[option])
    return [
      option,
      schemaOf(specs[0])
        .optional()
        .meta({ description: specs[0].help, otherwise: defaultsText(option) }),
    ]
  }),
) as Record<OptionName, z.ZodOptional<z.ZodType<number | boolean>>>

function schemaOf(spec: OptionSpec): z.ZodType<number | boolean> {
  if (spec.kind === 'flag') return z.boolean()
  const { min, max = Number.MAX_SAFE_INTEGER, below } = spec
  if (spec.kind === 'count') return z.int().min(min).max(max)
  const atLeast = z.number().min(min)
  return below === undefined ? atLeast : atLeast.lt(below)
}

/** Defaults of an option in words, such as `0.9 with sgd, 0.95 with muon`. */
function defaultsText(option: string): string {
  const owners = new Map<string, OptimizerName[]>()
  for (const name of ownersOf(option)) {
    const value = String(optionsOf(name)[option].default)
    owners.set(value, [...(owners.get(value) ?? []), name])
  }
  return Array.from(owners, ([value, names]) => `${value} with ${names.join(' and ')}`).join(', ')
}

type OptimizerKeys = { readonly optimizer: OptimizerName } & {
  readonly [K in OptionName]?: number | boolean | undefined
}

/** The optimizer of the train section, with the options that are set. */
export function optimizerSettings(train: OptimizerKeys): OptimizerSettings {
  const set = Object.entries(train).filter(([key, value]) => optionNames.includes(key) && value !== undefined)
  return { name: train.optimizer, ...Object.fromEntries(set) }
}

/** The same section with every option of its optimizer written out. */
export const withOptimizerDefaults = <Train extends OptimizerKeys>(train: Train): Train => ({
  ...train,
  ...Object.fromEntries(
    Object.entries(optionsOf(train.optimizer)).map(([option, spec]) => [option, spec.default]),
  ),
  ...train,
})

/** Throws if an option is set that the chosen optimizer does not have. */
export function checkOptimizerKeys(train: OptimizerKeys): void {
  const { name, ...own } = optimizerSettings(train)
  for (const [option, value] of Object.entries(own))
    if (!ownersOf(option).includes(name))
      throw new RangeError(
        `train: ${option} must be left out with train.optimizer ${name}, got ${value}; remove it, or choose ${ownersOf(option).join(' or ')}`,
      )
}
