export type { DecodeCache } from '@tau/attention'
export { cacheOfInputs } from './attention/cache.ts'
export type { HeadVectors } from './attention/head-vectors.ts'
export {
  type Attention,
  type AttentionCache,
  type AttentionInputs,
  type AttentionKind,
  type CacheForm,
  defineAttentionKind,
  type HeadShape,
  type KindContext,
  type Measure,
} from './attention/kind.ts'
export type { LayerProbe } from './attention/layer.ts'
export {
  attentionKind,
  attentionKinds,
  findAttentionKind,
  registerAttentionKind,
} from './attention/registry.ts'
export { calibrateModel, recalibrates } from './calibrate.ts'
export {
  checkConfig,
  headDim,
  type ModelOptions,
  manifoldDim,
  modelFields,
  needsLaplacian,
  presets,
  resolveConfig,
} from './config/config.ts'
export {
  type ChoiceField,
  choice,
  type Field,
  type Fields,
  flag,
  type NumberField,
  number,
  numberOrNull,
  type OptionsOf,
  type PresetName,
  type SwitchField,
  type TextField,
  text,
} from './config/field.ts'
export { type SizeName, sizes } from './config/fields.ts'
export { configFromJson, configToJson } from './config/json.ts'
export { migrateModelFields } from './config/migrate.ts'
export type { AttentionOptions, HeadGroupOptions, ModelConfig } from './config/model-config.ts'
export { type CreateOptions, createModel, emptyModel } from './create.ts'
export { DecodeState, type DecodeStateOptions } from './decode-state.ts'
export { type GenerateOptions, generate } from './generate.ts'
export { type ForwardOptions, GPT } from './gpt.ts'
export { countParameters, parameterSpecs } from './parameters/parameters.ts'
export { linearSpec, type ParameterSpec, positiveSpec, positiveValues } from './parameters/spec.ts'
export { type SampleOptions, sampleToken } from './sample.ts'
export {
  encodeModel,
  loadModel,
  MODEL_FILES,
  readModelConfig,
  type SaveOptions,
  saveModel,
} from './save.ts'
