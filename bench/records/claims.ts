import { isSoftwareAdapter } from '@tau/tensor'
import type { Figures } from './record.ts'

/** A figure that is promised of this code, on whatever machine. */
export interface Claim {
  /** The group of benches that measures it. */
  readonly group: string
  /** Its metric. A * stands for any part of a name: then all that match must hold, and the worst is judged. */
  readonly metric: string
  /** Promised of adapters in software alone. */
  readonly software?: true
  readonly relation: '≥' | '≤'
  readonly bound: number
  readonly unit: 'x' | 'GFLOPS'
  /** What `≥ 2x` or `≥ 20 GFLOPS` goes on with: as fast as PyTorch, by the baseline. */
  readonly meaning: string
}

type Row = Omit<Claim, 'group'>

const atLeast = (bound: number, unit: Claim['unit'], metric: string, meaning: string): Row => ({
  ...{ metric, relation: '≥', bound, unit, meaning },
})
const atMost = (bound: number, unit: Claim['unit'], metric: string, meaning: string): Row => ({
  ...{ metric, relation: '≤', bound, unit, meaning },
})

const byGroup: Readonly<Record<string, readonly Row[]>> = {
  train: [
    atLeast(1, 'x', 'train/tau-30m/T1024/ratio_vs_torch', 'as fast as PyTorch, by WebAssembly alone'),
    atLeast(1.3, 'x', 'train/tau-30m/T1024/ratio_vs_torch_blas', 'as fast as PyTorch, products by @tau/blas'),
    atLeast(2, 'x', 'train/tau-30m/T4096/ratio_vs_torch', 'as fast as PyTorch'),
    atLeast(4, 'x', 'train/tau-30m/T8192/ratio_vs_torch', 'as fast as PyTorch'),
    atLeast(0.7, 'x', 'train/tau-30m/tokens_per_s_T32768_over_T1024', 'the tokens per second of T 1024'),
    atMost(0.7, 'x', 'train/tau-30m/T1024/peak_memory_ratio_vs_torch', 'the peak memory of PyTorch'),
  ],
  decode: [
    atMost(2, 'x', 'decode/ms_ratio_T65536_over_T1024', 'the time per token of a context of 1024'),
    atLeast(100, 'x', 'decode/T65536/speedup_vs_dot', 'as fast as dot-product attention'),
    atMost(0.6, 'x', 'decode/cache_bytes_ratio_vs_kv', 'the bytes of a cache of (k, v)'),
    atMost(0.35, 'x', 'decode/cache_bytes_ratio_vs_kv_f16', 'the bytes of a cache of (k, v), values as f16'),
    atLeast(1.5, 'x', 'decode/tau-30m/ratio_vs_torch', 'as fast as PyTorch'),
  ],
  attention: [
    atLeast(3, 'x', 'attention/forward/T1024/speedup_vs_quadratic', 'as fast as pair by pair'),
    atLeast(18, 'x', 'attention/forward/T8192/speedup_vs_quadratic', 'as fast as pair by pair'),
    atLeast(12, 'x', 'attention/train/T8192/speedup_vs_quadratic', 'as fast as pair by pair, with gradients'),
    atLeast(25, 'x', 'attention/forward/T8192/speedup_vs_dot', 'as fast as dot-product attention'),
    atMost(12, 'x', 'attention/forward/T65536_over_T8192', 'the time of T 8192'),
    atLeast(1.7, 'x', 'attention/forward/2_threads_speedup', 'as fast as one thread'),
    atLeast(20, 'GFLOPS', 'attention/quadratic/gflops', 'by the pair-by-pair baseline'),
    atLeast(20, 'GFLOPS', 'attention/dot/gflops', 'by the dot-product baseline'),
  ],
  kernels: [
    atLeast(1.7, 'x', 'matmul/nn/768/ratio_vs_tfjs_wasm', 'as fast as tfjs in WebAssembly'),
    atLeast(1.85, 'x', 'matmul/2_threads_scaling', 'as fast as one thread'),
    atLeast(0.75, 'x', 'matmul/ratio_of_fma_ceiling', 'the rate of multiply-adds in registers'),
    atLeast(
      0.6,
      'x',
      'matmul/*/*_T*/ratio_of_fma_ceiling',
      'the rate of multiply-adds in registers, by every product of tau-30m',
    ),
  ],
  gpu: [
    {
      ...atLeast(
        1.5,
        'x',
        'gpu/matmul/512/tuned_over_portable',
        'as fast as the kernel of gpu.js, on an adapter in software',
      ),
      software: true,
    },
  ],
  blas: [atLeast(0.9, 'x', 'blas/ratio_vs_openblas', 'as fast as bare cblas_sgemm, on 1 thread and on 2')],
  graph: [
    atLeast(1, 'x', 'graph/knn_exact/20000x384/ratio_vs_sklearn', 'as fast as scikit-learn by brute force'),
    atLeast(0.95, 'x', 'graph/knn_hnsw/words100k/recall_at_15', 'the neighbours that exact search finds'),
    atLeast(
      0.5,
      'x',
      'graph/manifold/300000x384/ratio_vs_numpy',
      'as fast as the same steps in numpy, by WebAssembly alone',
    ),
    atLeast(
      0.9,
      'x',
      'graph/manifold/300000x384/ratio_vs_numpy_blas',
      'as fast as the same steps in numpy, products by @tau/blas',
    ),
    atMost(
      1,
      'x',
      'graph/manifold/streamed/peak_memory_ratio',
      'the memory that it was given, over a file four times as large',
    ),
  ],
}

/** What is asked of the benches, group by group. */
export const claims: readonly Claim[] = Object.entries(byGroup).flatMap(([group, rows]) =>
  rows.map((row) => ({ group, ...row })),
)

export interface Verdict {
  readonly claim: Claim
  /** The metric and its value, the worst of the `count` that match. undefined: none was measured. */
  readonly got: { readonly metric: string; readonly value: number; readonly count: number } | undefined
  readonly verdict: 'kept' | 'missed' | 'not measured'
}

/** Names of metrics have nothing but * that a pattern would take for a rule. */
const patternOf = (metric: string): RegExp => new RegExp(`^${metric.replaceAll('*', '[^/]*')}$`)

const isOf = ({ software }: Claim, { adapter }: Figures): boolean =>
  !software || (adapter !== undefined && isSoftwareAdapter(adapter))

function verdictOf(claim: Claim, figures: readonly Figures[]): Verdict {
  const { metric: name, relation, bound } = claim
  const pattern = patternOf(name)
  const found = figures
    .filter((set) => isOf(claim, set))
    .flatMap(({ metrics }) => Object.entries(metrics))
    .filter(([metric]) => pattern.test(metric))
  if (found.length === 0) return { claim, got: undefined, verdict: 'not measured' }
  const [metric, value] = found.reduce((worst, next) =>
    (relation === '≥' ? next[1] < worst[1] : next[1] > worst[1]) ? next : worst,
  )
  const kept = relation === '≥' ? value >= bound : value <= bound
  return { claim, got: { metric, value, count: found.length }, verdict: kept ? 'kept' : 'missed' }
}

/** Every claim, held against what was measured. */
export const judge = (figures: readonly Figures[]): Verdict[] =>
  claims.map((claim) => verdictOf(claim, figures))

/** One digit more than elsewhere: a value just beyond its bound must not look like it. */
const valueText = (value: number, { unit }: Claim): string =>
  `${Number(value.toPrecision(4))}${unit === 'x' ? 'x' : ` ${unit}`}`

/** `≥ 1.7x as fast as tfjs in WebAssembly` */
export const askedText = (claim: Claim): string =>
  `${claim.relation} ${valueText(claim.bound, claim)} ${claim.meaning}`

/** `1.972x`; `0.61x at …, worst of 12` where a claim is of several metrics, since a filter may have left some out; or `–`. */
export const gotText = ({ claim, got }: Verdict): string => {
  if (!got) return '–'
  const where = got.metric === claim.metric ? '' : ` at ${got.metric}, worst of ${got.count}`
  return valueText(got.value, claim) + where
}

/** `claim blas/ratio_vs_openblas | asked ≥ 0.9x as fast as … | got 0.97x | kept`, a line for each, and how many were kept. */
export function claimLines(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return []
  const lines = verdicts.map((entry) => {
    const { claim, verdict } = entry
    const words = verdict === 'missed' ? 'MISSED' : verdict
    return `claim ${claim.metric} | asked ${askedText(claim)} | got ${gotText(entry)} | ${words}`
  })
  return [...lines, `claims: ${countsText(verdicts)}`]
}

/** `24 kept, 1 missed, 2 not measured` */
export const countsText = (verdicts: readonly Verdict[]): string =>
  (['kept', 'missed', 'not measured'] as const)
    .map((word) => `${verdicts.filter(({ verdict }) => verdict === word).length} ${word}`)
    .join(', ')
