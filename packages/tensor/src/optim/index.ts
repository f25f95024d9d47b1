export { type AdamWStep, adamwUpdate } from '../kernels/adamw/adamw.ts'
export { type SgdStep, sgdUpdate } from '../kernels/sgd/sgd.ts'
export { AdamW, type AdamWOptions } from './adamw.ts'
export type { Parameter } from './groups.ts'
export { Muon, type MuonOptions } from './muon.ts'
export type {
  CommonOptions,
  NamedTensors,
  Optimizer,
  OptimizerState,
  ParameterGroup,
} from './optimizer.ts'
export {
  checkOptimizerSettings,
  createOptimizer,
  type OptimizerName,
  type OptimizerSettings,
  optimizers,
} from './optimizers.ts'
export type { FlagOption, NumberOption, OptionSpec, OptionSpecs, OptionValues } from './options.ts'
export { orthogonalize } from './orthogonalize.ts'
export { RuleOptimizer, type UpdateRule, type UpdateStep, type UpdateTarget } from './rule.ts'
export { Sgd, type SgdOptions } from './sgd.ts'
