// The module of the kernels that run on 256-bit registers if V8's revectoriser joins pairs of vectors. The
// last functions here test whether it did, and whether the results are right: see src/backends/cpu/wide.ts.
import { matmul } from './matmul'
import { microKernel } from './matmul-micro'
import { microKernelWide } from './matmul-micro-wide'

export { matmul }
export { crossEntropyRows, crossEntropyGrad } from './cross-entropy'
export { logitLoss } from './linear-cross-entropy'
export { softcap } from './softcap'
export { softmax } from './softmax'
export { exp, log, sigmoid, silu, softplus, tanh, siluGrad, softplusGrad } from './unary'
export { setWorkspace } from './workspace'

const M: i32 = 23
const N: i32 = 53
const K: i32 = 397

/** Whether products of whole numbers are exact, in all three layouts. `memory` is ½ MiB of scratch. */
export function isExact(memory: usize): bool {
  const a = memory
  const b = a + ((M * K) << 2)
  const out = b + ((K * N) << 2)
  fillWhole(a, M * K, 1)
  fillWhole(b, K * N, 2)
  return isProduct(a, b, out, K, 1, 1, N) && isProduct(a, b, out, K, 1, K, 1) && isProduct(a, b, out, 1, M, 1, N)
}

/** Fills with whole numbers from −8 to 7. Sums of 397 of their products are exact in f32. */
function fillWhole(target: usize, count: i32, seed: u32): void {
  for (let i = 0; i < count; i++) {
    seed = seed * 1664525 + 1013904223
    store<f32>(target + ((<usize>i) << 2), <f32>(<i32>(seed >> 28) - 8))
  }
}

function isProduct(a: usize, b: usize, out: usize, aRow: usize, aDepth: usize, bCol: usize, bDepth: usize): bool {
  matmul(a, b, out, M, N, K, 0, 0, aRow, aDepth, bCol, bDepth, M, N, false, 0, 0, 0, 1)
  for (let i: usize = 0; i < <usize>M; i++)
    for (let j: usize = 0; j < <usize>N; j++) {
      let sum: f32 = 0
      for (let k: usize = 0; k < <usize>K; k++)
        sum += load<f32>(a + ((i * aRow + k * aDepth) << 2)) * load<f32>(b + ((k * bDepth + j * bCol) << 2))
      if (load<f32>(out + ((i * <usize>N + j) << 2)) != sum) return false
    }
  return true
}

/** Runs the wide micro-kernel, to measure its time. On 128-bit registers it is slower than
 *  {@link probeNarrow}, because they cannot hold its 24 accumulators. */
export function probeWide(memory: usize): void {
  microKernelWide(384, memory, memory, memory, 0, memory + 32768, 64)
}

/** Does the same work with the narrow micro-kernel. */
export function probeNarrow(memory: usize): void {
  microKernel(384, memory, memory, memory, 0, memory + 32768, 64)
  microKernel(384, memory, memory, memory, 0, memory + 32768, 64)
}
