export {
  type BenchCase,
  type DecodeBench,
  type DecodeCase,
  expectSamples,
  type HostBench,
  type Items,
  type KernelBench,
  opCase,
  type Rival,
  type StepBench,
  type StepCase,
} from './bench.ts'
export { type DeviceName, describeDevices, deviceNames, gpuModes, type Openers } from './devices.ts'
export { checkGradients, type GradientCase, numericGradient } from './gradients.ts'
export { expectNear, type Tolerance } from './near.ts'
export { expectOracle, itMatchesOracle } from './oracle/matches.ts'
export { randomArray } from './random.ts'
