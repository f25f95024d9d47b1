export { BoundedTauCache, type BoundedTauCacheOptions } from './caches/bounded-tau-cache.ts'
export type { DecodeCache } from './caches/decode-cache.ts'
export { KvCache, type KvCacheOptions, type KvPositions } from './caches/kv-cache.ts'
export type { CacheOptions } from './caches/options.ts'
export { TauCache, type TauCacheOptions, type TauPositions } from './caches/tau-cache.ts'
export { constantDecay, forgetGateDecay, type LogDecay } from './kernels/decay/decay.ts'
export { type DotAttentionInputs, dotAttention } from './kernels/dot-attention/dot-attention.ts'
export {
  type LambdaAlgorithm,
  type LambdaAttentionInputs,
  lambdaAttention,
} from './kernels/lambda-attention/lambda-attention.ts'
export { type Middle, referenceTau } from './kernels/reference-tau/reference-tau.ts'
export { type RopeOptions, rope } from './kernels/rope/rope.ts'
export { RopeTable, ropeTables } from './kernels/rope/rope-table.ts'
export { type RotaryTaumodeOptions, rotaryTaumode } from './kernels/rotary-taumode/rotary-taumode.ts'
export { calibrateTau, rayleighEnergy, taumode } from './kernels/taumode/taumode.ts'
export { type DenseLaplacian, LaplacianTensor } from './laplacian-tensor.ts'
export { type TokenShiftOptions, tokenShift } from './token-shift.ts'
