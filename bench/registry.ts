import type { PeerNote } from './records/record.ts'

/** What a group gets. It prints its table as it runs, and notes its figures. */
export interface GroupContext {
  /** Only benches whose name contains this text run; empty: all. */
  readonly filter: string
  /** Whether to run a smaller selection, in groups that have one. */
  readonly quick: boolean
  /** Folder for what a group writes besides its figures. Undefined: the group chooses. */
  readonly out: string | undefined
  /** Prints one line of the table. */
  readonly line: (text: string) => void
  /** Whether packages that are too large for the workspace may be installed. */
  readonly install: boolean
  /** Notes a figure for the JSON, with its spread if it has samples. */
  readonly metric: (name: string, value: number, spread?: number) => void
  /** Notes a peer that took part, by its name in metrics. */
  readonly peer: (name: string, note: PeerNote) => void
  /** Prints and notes the GPU that a group runs on. */
  readonly adapter: (name: string) => void
  /** Prints and notes what could not be measured, and why: an absent peer, a length that does not fit. */
  readonly skip: (what: string, reason: string) => void
}

/** Runs the benches of a group that pass the filter. Returns their number. */
export type RunGroup = (context: GroupContext) => Promise<number>

export interface Group {
  /** One line for the help. */
  readonly summary: string
  readonly load: () => Promise<RunGroup>
  /** Whether `all` leaves it out. */
  readonly onDemand?: boolean
}

/** The groups of benches. A new group is a module and an entry here. A group is loaded when it is asked
 *  for. */
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
      'λ-attention, sorted and quadratic; dot-product attention, ours and ONNX Runtime’s; up to T 65 536',
    load: async () => (await import('./attention/attention.ts')).attentionGroup('attention'),
  },
  crossover: {
    summary: 'short lengths: from which length on sorted λ-attention wins',
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
    summary: 'mode webgpu: kernels of gpu.js against hand-written ones; overhead, bytes and calls of a step',
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
