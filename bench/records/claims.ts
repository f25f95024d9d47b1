/** A claim: a figure that this code promises on any machine. */
export interface Claim {
  /** The group of benches that measures it. */
  readonly group: string
  /** Its metric. A * stands for any part of a name. All metrics that match must hold, so the worst is
   *  judged. */
  readonly metric: string
  /** A claim about software adapters only. */
  readonly software?: true
  readonly relation: '≥' | '≤'
  readonly bound: number
  readonly unit: 'x' | 'GFLOPS'
  /** The words after `≥ 2x` or `≥ 20 GFLOPS`: as fast as PyTorch, by the baseline. */
  readonly meaning: string
}

type Row = Omit<Claim, 'group'>

const atLeast = (bound: number, unit: Claim['unit'], metric: string, meaning: string): Row => ({
  ...{ metric, relation: '≥', bound, unit, meaning },
})
const atMost = (bound: number, unit: Claim['unit'], metric: string, meaning: string): Row => ({
  ...{ metric, relation: '≤', bound, unit, meaning },
})

/** All claims, by group. To restate a claim, change its bound or its meaning here: the report judges every
 *  record by this list. A claim against a peer is about the peer as bench/peers starts it. Reports add the
 *  peer's version. */
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
    atLeast(100, 'x', 'decode/T65536/speedup_vs_dot', 'as fast as our dot-product attention'),
    atMost(0.6, 'x', 'decode/cache_bytes_ratio_vs_kv', 'the bytes of a cache of (k, v)'),
    atMost(0.35, 'x', 'decode/cache_bytes_ratio_vs_kv_f16', 'the bytes of a cache of (k, v), values as f16'),
    atLeast(1.5, 'x', 'decode/tau-30m/ratio_vs_torch', 'as fast as PyTorch'),
  ],
  attention: [
    atLeast(3, 'x', 'attention/forward/T1024/speedup_vs_quadratic', 'as fast as pair by pair'),
    atLeast(18, 'x', 'attention/forward/T8192/speedup_vs_quadratic', 'as fast as pair by pair'),
    atLeast(12, 'x', 'attention/train/T8192/speedup_vs_quadratic', 'as fast as pair by pair, with gradients'),
    atLeast(25, 'x', 'attention/forward/T8192/speedup_vs_dot', 'as fast as our dot-product attention'),
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

/** All claims, group by group. */
export const claims: readonly Claim[] = Object.entries(byGroup).flatMap(([group, rows]) =>
  rows.map((row) => ({ group, ...row })),
)
