import { adamw } from './adamw.ts'
import { muon } from './muon.ts'
import type { CommonOptions, NamedTensors, Optimizer } from './optimizer.ts'
import { type OptionSpec, type OptionValues, resolveOptions } from './options.ts'
import { RuleOptimizer, type UpdateRule } from './rule.ts'
import { sgd } from './sgd.ts'

/** Every optimizer by its name. Configuration files, help texts and checkpoints use this table. A new
 *  optimizer is added here. */
export const optimizers = { adamw, muon, sgd } as const

export type OptimizerName = keyof typeof optimizers

/** The name of an optimizer, with the options that differ from its defaults. */
export type OptimizerSettings = {
  readonly [N in OptimizerName]: { readonly name: N } & Partial<
    OptionValues<(typeof optimizers)[N]['options']>
  >
}[OptimizerName]

/** The optimizer that the settings name. Throws if the name is unknown or an option is invalid. */
export function createOptimizer(
  parameters: NamedTensors,
  { name, ...own }: OptimizerSettings,
  common: CommonOptions = {},
): Optimizer {
  return new RuleOptimizer(ruleOf(name), parameters, { ...own, ...common })
}

/** Throws like {@link createOptimizer}, for the settings alone. */
export function checkOptimizerSettings({ name, ...own }: OptimizerSettings): void {
  const { title, options } = ruleOf(name)
  resolveOptions(title, options, own)
}

/** A rule with unknown options. */
type AnyRule = UpdateRule<Record<never, OptionSpec>>

function ruleOf(name: string): AnyRule {
  const rules: Readonly<Record<string, AnyRule>> = optimizers
  if (!Object.hasOwn(rules, name))
    throw new RangeError(`optimizer: name must be one of ${Object.keys(rules).join(', ')}, got ${name}`)
  return rules[name]
}
