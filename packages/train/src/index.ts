export {
  type LoadedCheckpoint,
  latestCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
  type TrainingState,
} from './checkpoint/checkpoint.ts'
export {
  type EvalBatch,
  EvalBatches,
  type EvalBatchesOptions,
  type TokenBatch,
  TokenBatches,
  type TokenBatchesOptions,
} from './data/batches.ts'
export { readShards, type ShardHeader, type WriteShardsOptions, writeShards } from './data/shards.ts'
export { type HeldOutSplit, readTextFiles, splitHeldOut, type TextFile } from './data/text.ts'
export { type RecoverableRun, trainThroughDeviceLoss } from './loop/device-loss.ts'
export { DivergedError } from './loop/diverged.ts'
export { estimateTraining } from './loop/estimate.ts'
export { bitsPerByte, type Evaluation, evaluate } from './loop/evaluate.ts'
export { modelOptimizer, type OptimizerChoice } from './loop/optimizer.ts'
export { checkTrainOptions, defaultTrainOptions, type TrainOptions } from './loop/options.ts'
export { PROFILED_STEPS, profileStep, WARM_UP_STEPS } from './loop/profile.ts'
export { learningRate, type Schedule } from './loop/schedule.ts'
export { type StepResult, trainStep } from './loop/step.ts'
export {
  type ResumePoint,
  resumeFrom,
  type TrainData,
  type TrainResult,
  type TrainTask,
  train,
} from './loop/train.ts'
export { MetricsFile, readMetrics } from './metrics/file.ts'
export * from './metrics/records.ts'
export { trainingFlops } from './pipeline/flops.ts'
export {
  type DescribedManifold,
  defaultManifoldSettings,
  type ManifoldSettings,
  makeManifold,
} from './pipeline/manifold.ts'
export { migrateRunSettings } from './pipeline/migrate.ts'
export {
  type PreparedRun,
  prepareModel,
  prepareResume,
  prepareRun,
  type Stages,
} from './pipeline/prepare.ts'
export { type FinishedRun, type RunTask, trainRun, trainText } from './pipeline/run.ts'
export { filesOfRun, RUN_FILES } from './pipeline/run-files.ts'
export { defaultSampleSettings, type SampleSettings, sampleText } from './pipeline/sample.ts'
export {
  type DataSettings,
  defaultDataSettings,
  type RunOptions,
  type RunSettings,
  runSettings,
  type TokenizerSettings,
  vocabSizeOf,
} from './pipeline/settings.ts'
export {
  bytesPerToken,
  learnTokenizer,
  readPrepared,
  readTexts,
  type Texts,
  type Tokens,
  tokenize,
  writePrepared,
} from './pipeline/text.ts'
export { loadTokenizer, saveTokenizer } from './tokenizer/file.ts'
export type { TokenizerJson } from './tokenizer/json.ts'
export type { AddedToken, TokenizerParts } from './tokenizer/parts.ts'
export { type DecodeOptions, type StreamDecoder, Tokenizer } from './tokenizer/tokenizer.ts'
export { type TrainTokenizerOptions, type TrainTokenizerProgress, trainTokenizer } from './tokenizer/train.ts'
