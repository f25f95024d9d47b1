import { expectSamples, type KernelBench, randomArray } from '@tau/testing'
import type { Device } from '../../device.ts'
import type { Layout } from './layout.ts'
import { matmul } from './matmul.ts'

type Work = 'flops' | 'bytes'

function bench(
  layout: Layout,
  what: string,
  [m, n, k]: readonly [number, number, number],
  work: Work,
): KernelBench<Device> {
  return {
    name: `matmul/${layout}/${what}`,
    shape: `[${m}, ${n}, ${k}]`,
    work: work === 'flops' ? { flops: 2 * m * n * k } : { bytes: 4 * (m * k + n * k + m * n) },
    prepare(device) {
      const a = Float32Array.from(randomArray(m * k, 1))
      const b = Float32Array.from(randomArray(n * k, 2))
      const left = device.tensor(a, layout === 'tn' ? [k, m] : [m, k])
      const right = device.tensor(b, layout === 'nt' ? [n, k] : [k, n])
      const expectedAt = (index: number) => {
        const i = Math.floor(index / n)
        const j = index % n
        let sum = 0
        for (let l = 0; l < k; l++)
          sum += a[layout === 'tn' ? l * m + i : i * k + l] * b[layout === 'nt' ? j * k + l : l * n + j]
        return sum
      }
      return {
        run() {
          matmul(left, right, layout).dispose()
        },
        async check() {
          using out = matmul(left, right, layout)
          expectSamples(await out.data(), expectedAt, { atol: 4 * (k + 3) * 2 ** -24 })
        },
      }
    },
  }
}

/** [M, N, K]. First squares in the three layouts. Then tau-30m (width 384, feed-forward 1536, vocabulary 30
 *  522) with 1024 tokens: nt is forward, nn the gradient of the input, tn the gradient of the weights. Then
 *  decoding, which reads every weight once per token. */
export const benches: readonly KernelBench<Device>[] = [
  bench('nn', '768', [768, 768, 768], 'flops'),
  bench('nt', '768', [768, 768, 768], 'flops'),
  bench('tn', '768', [768, 768, 768], 'flops'),
  bench('nt', 'attn_proj_T1024', [1024, 384, 384], 'flops'),
  bench('nt', 'mlp_up_T1024', [1024, 1536, 384], 'flops'),
  bench('nt', 'mlp_down_T1024', [1024, 384, 1536], 'flops'),
  bench('nn', 'mlp_up_dx_T1024', [1024, 384, 1536], 'flops'),
  bench('tn', 'mlp_up_dw_T1024', [1536, 384, 1024], 'flops'),
  bench('nn', 'attn_proj_dx_T1024', [1024, 384, 384], 'flops'),
  bench('tn', 'attn_proj_dw_T1024', [384, 384, 1024], 'flops'),
  bench('nn', 'mlp_down_dx_T1024', [1024, 1536, 384], 'flops'),
  bench('tn', 'mlp_down_dw_T1024', [384, 1536, 1024], 'flops'),
  bench('nt', 'lm_head_T1024', [1024, 30_522, 384], 'flops'),
  bench('nn', 'lm_head_dx_T1024', [1024, 384, 30_522], 'flops'),
  bench('tn', 'lm_head_dw_T1024', [30_522, 384, 1024], 'flops'),
  bench('nt', 'lm_head_T128', [128, 30_522, 384], 'flops'),
  bench('nt', 'decode_mlp_up', [1, 1536, 384], 'bytes'),
  bench('nt', 'decode_lm_head', [1, 30_522, 384], 'bytes'),
  bench('nt', 'decode_lm_head_B4', [4, 30_522, 384], 'bytes'),
]
