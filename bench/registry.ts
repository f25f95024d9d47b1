import type { PeerNote } from './records/record.ts'

/** What a group gets: the table is printed as it runs, numbers are noted. */
export interface GroupContext {
  /** Only benches whose name contains this text run; empty: all. */
  readonly filter: string
  /** A smaller selection, for groups that have one. */
  readonly quick: boolean
  /** Folder of what a group writes besides its figures; undefined: the group's own choice. */
  readonly out: string | undefined
  /** Prints one line of the table. */
  readonly line: (text: string) => void
  /** Whether packages that are too large for the workspace may be installed. */
  readonly install: boolean
  /** Notes a figure for the JSON, with its spread where it has samples. */
  readonly metric: (name: string, value: number, spread?: number) => void
  /** Notes a peer that took part, by its name in metrics. */
  readonly peer: (name: string, note: PeerNote) => void
  /** Prints and notes the GPU that a group runs on. */
  readonly adapter: (name: string) => void
  /** Prints and notes what could not be measured, and why: a peer that is absent, a length that does not fit. */
  readonly skip: (what: string, reason: string) => void
}

/** Runs the benches of a group that pass the filter and returns how many those were. */
export type RunGroup = (context: GroupContext) => Promise<number>

export interface Group {
  /** One line of the help. */
  readonly summary: string
  readonly load: () => Promise<RunGroup>
  /** Not part of `all`. */
  readonly onDemand?: boolean
}

/** The groups of benches; a new one is a module here. They load when they are asked for. */
export const groups: Readonly<Record<string, Group>> = {
  kernels: {
    summary:
      'every kernel of the cpu backend on real shapes; matmul against tfjs, jax-js, gpu.js, OpenBLAS, ONNX Runtime',
    load: async () => (await import('./kernels/kernels.ts')).runKernels,
  },
  graph: {
    summary:
      "neighbours, sparse products, text embeddings, Laplacians, manifolds; against scikit-learn, SciPy's eigsh, numpy",
    load: async () => {
      const [{ runGraph }, { runGraphEigs }, { runGraphManifold }] = await Promise.all([
        import('./graph/graph.ts'),
        import('./graph/eigs.ts'),
        import('./graph/manifold.ts'),
      ])
      return async (context) =>
        (await runGraph(context)) + (await runGraphEigs(context)) + (await runGraphManifold(context))
    },
  },
  embedding: {
    summary: 'draws the spectral embedding of a ring, a circle, into --out or docs/graph',
    load: async () => (await import('./graph/embedding.ts')).runEmbedding,
    onDemand: true,
  },
  attention: {
    summary:
      'λ-attention, fast and quadratic, and dot-product attention, ours and ONNX Runtime’s, up to T 65 536',
    load: async () => (await import('./attention/attention.ts')).attentionGroup('attention'),
  },
  crossover: {
    summary: 'short lengths: from where on the fast λ-attention wins',
    load: async () => (await import('./attention/attention.ts')).attentionGroup('crossover'),
    onDemand: true,
  },
  sweep: {
    summary: 'milliseconds of every attention against the length, 128 to 131 072',
    load: async () => (await import('./attention/attention.ts')).attentionGroup('sweep'),
    onDemand: true,
  },
  decode: {
    summary: 'cached generation, also against PyTorch, and its attention at contexts up to 262 144',
    load: async () => {
      const [{ runDecode }, { runDecodeAttention }, { decodeAgainstTorch }] = await Promise.all([
        import('./decode/decode.ts'),
        import('./decode/decode-attention.ts'),
        import('./models/against-torch.ts'),
      ])
      return async (context) =>
        (await runDecode(context)) + (await runDecodeAttention(context)) + (await decodeAgainstTorch(context))
    },
  },
  kvcache: {
    summary: "the paper's experiment: tokens with and without a cache, then contexts up to 1 Mi; plots",
    load: async () => (await import('./kvcache/kvcache.ts')).runKvcache,
    onDemand: true,
  },
  gpu: {
    summary:
      'mode webgpu: kernels of gpu.js against those written by hand; overhead, bytes and calls of a step',
    load: async () => (await import('./gpu/gpu.ts')).runGpu,
  },
  blas: {
    summary: 'products through @tau/blas against bare cblas_sgemm of the same library',
    load: async () => (await import('./blas/blas.ts')).runBlas,
  },
  train: {
    summary: 'optimizer steps, tau against dot-product attention; tau-30m up to T 32 768 against PyTorch',
    load: async () => {
      const [{ runTrain }, { trainAgainstTorch }] = await Promise.all([
        import('./train/train.ts'),
        import('./models/against-torch.ts'),
      ])
      return async (context) => (await runTrain(context)) + (await trainAgainstTorch(context))
    },
  },
  optimizers: {
    summary: 'Muon against AdamW on the demo: bits per byte, best of four learning rates, three seeds',
    load: async () => (await import('./optimizers/optimizers.ts')).runOptimizers,
    onDemand: true,
  },
}
