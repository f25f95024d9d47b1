export type { DecodeOptions, LayerProbe } from './attention-layer.ts'
export { calibrateModel } from './calibrate.ts'
export {
  checkConfig,
  headDim,
  type ModelConfig,
  type ModelOptions,
  manifoldDim,
  type PresetName,
  presets,
  resolveConfig,
  type SizeName,
  sizes,
} from './config.ts'
export { configFromJson, configToJson } from './config-json.ts'
export { type CreateOptions, createModel, emptyModel } from './create.ts'
export { type GenerateOptions, generate } from './generate.ts'
export { DecodeState, type ForwardOptions, GPT } from './gpt.ts'
export { countParameters, type ParameterSpec, parameterSpecs } from './parameters.ts'
export { type SampleOptions, sampleToken } from './sample.ts'
export {
  encodeModel,
  loadModel,
  MODEL_FILES,
  readModelConfig,
  type SaveOptions,
  saveModel,
} from './save.ts'
