export {
  type EvalBatch,
  EvalBatches,
  type EvalBatchesOptions,
  IGNORE_INDEX,
  type TokenBatch,
  TokenBatches,
  type TokenBatchesOptions,
} from './data/batches.ts'
export { type HeldOutSplit, readTextFiles, splitHeldOut, type TextFile } from './data/text.ts'
export { type FileContent, writeFileAtomic } from './files/atomic.ts'
export { type ReadJsonOptions, readJson } from './files/read.ts'
export { loadTokenizer, saveTokenizer } from './tokenizer/file.ts'
export type { TokenizerJson } from './tokenizer/json.ts'
export {
  type AddedToken,
  type DecodeOptions,
  type StreamDecoder,
  Tokenizer,
  type TokenizerParts,
} from './tokenizer/tokenizer.ts'
export { type TrainTokenizerOptions, type TrainTokenizerProgress, trainTokenizer } from './tokenizer/train.ts'
