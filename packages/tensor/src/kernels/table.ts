import type { AccumulateKernel } from './accumulate/accumulate.ts'
import type { AdamWKernel } from './adamw/adamw.ts'
import type { BinaryKernel } from './binary/binary.ts'
import type { ClampGradKernel, ClampKernel } from './clamp/clamp.ts'
import type { CopyKernel } from './copy/copy.ts'
import { cpuKernels } from './cpu.ts'
import type { CrossEntropyGradKernel, CrossEntropyKernel } from './cross-entropy/cross-entropy.ts'
import type { CumsumKernel } from './cumsum/cumsum.ts'
import type { GatherKernel, ScatterAddKernel } from './embedding/embedding.ts'
import type { FillKernel } from './fill/fill.ts'
import type { GlobalNormKernel } from './global-norm/global-norm.ts'
import { gpuKernels } from './gpu.ts'
import { kernelSet } from './kernel-set.ts'
import type {
  LogitLossKernel,
  ScaleInPlaceKernel,
  TargetCountKernel,
} from './linear-cross-entropy/linear-cross-entropy.ts'
import type { MatmulKernel } from './matmul/matmul.ts'
import type { ReduceKernel } from './reduce/reduce.ts'
import type { ReluSquaredGradKernel, ReluSquaredKernel } from './relu-squared/relu-squared.ts'
import type { RmsNormGradKernel, RmsNormKernel } from './rms-norm/rms-norm.ts'
import type { SgdKernel } from './sgd/sgd.ts'
import type { SoftcapGradKernel, SoftcapKernel } from './softcap/softcap.ts'
import type { SoftmaxGradKernel, SoftmaxKernel } from './softmax/softmax.ts'
import type { TransposeKernel } from './transpose/transpose.ts'
import type { UnaryGradKernel, UnaryKernel } from './unary/unary.ts'

/** Every kernel of this package. Each backend fills the table (cpu.ts, gpu.ts); a missing entry does not compile. */
export interface KernelTable {
  accumulate: AccumulateKernel
  adamw: AdamWKernel
  binary: BinaryKernel
  clamp: ClampKernel
  clampGrad: ClampGradKernel
  copy: CopyKernel
  crossEntropy: CrossEntropyKernel
  crossEntropyGrad: CrossEntropyGradKernel
  cumsum: CumsumKernel
  fill: FillKernel
  gather: GatherKernel
  globalNorm: GlobalNormKernel
  logitLoss: LogitLossKernel
  matmul: MatmulKernel
  reduce: ReduceKernel
  reluSquared: ReluSquaredKernel
  reluSquaredGrad: ReluSquaredGradKernel
  rmsNorm: RmsNormKernel
  rmsNormGrad: RmsNormGradKernel
  scaleInPlace: ScaleInPlaceKernel
  scatterAdd: ScatterAddKernel
  sgd: SgdKernel
  softcap: SoftcapKernel
  softcapGrad: SoftcapGradKernel
  softmax: SoftmaxKernel
  softmaxGrad: SoftmaxGradKernel
  targetCount: TargetCountKernel
  transpose: TransposeKernel
  unary: UnaryKernel
  unaryGrad: UnaryGradKernel
}

/** The kernels of the device a tensor lives on. Operations import this table and it imports their kernels, so it names the
 *  factories only when they are called: the modules may then load in any order. */
export const kernelsOf = kernelSet<KernelTable>({
  cpu: (engine) => cpuKernels(engine),
  gpu: (engine) => gpuKernels(engine),
})
