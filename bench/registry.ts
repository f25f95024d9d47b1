/** What a group gets: the table is printed as it runs, numbers are noted. */
export interface GroupContext {
  /** Only benches whose name contains this text run; empty: all. */
  readonly filter: string
  /** Prints one line of the table. */
  readonly line: (text: string) => void
  /** Notes a figure for the JSON. */
  readonly metric: (name: string, value: number) => void
}

/** Runs the benches of a group that pass the filter and returns how many those were. */
export type RunGroup = (context: GroupContext) => Promise<number>

export interface Group {
  /** One line of the help. */
  readonly summary: string
  readonly load: () => Promise<RunGroup>
}

/** The groups of benches; a new one is a module here. They load when they are asked for. */
export const groups: Readonly<Record<string, Group>> = {
  kernels: {
    summary: 'every kernel of the cpu backend on real shapes; matmul against tfjs-backend-wasm',
    load: async () => (await import('./kernels.ts')).runKernels,
  },
  graph: {
    summary: 'neighbours, sparse products, text embeddings and domain Laplacians of @tau/graph',
    load: async () => (await import('./graph.ts')).runGraph,
  },
  decode: {
    summary: 'tokens per second of cached generation, tau against dot-product attention',
    load: async () => (await import('./decode.ts')).runDecode,
  },
  train: {
    summary: 'optimizer steps on one thread and on two, tau against dot-product attention',
    load: async () => (await import('./train.ts')).runTrain,
  },
}
