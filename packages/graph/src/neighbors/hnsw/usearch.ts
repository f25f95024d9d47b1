import { BackendError } from '@tau/tensor'
import { checkInteger } from '../../dense/matrix.ts'

/** The part of usearch's index that we use. */
export interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void
  /** Without counts for a single vector; keys of vector n begin at n·k. */
  search(vectors: Float32Array, k: number, threads: number): { keys: BigUint64Array; counts?: BigUint64Array }
}

/** As usearch names them: links of a node, and nodes that are looked at while one is added and while one is searched for. */
export interface HnswParameters {
  /** 16 unless given */
  connectivity?: number
  /** 128 unless given */
  expansionAdd?: number
  /** 64 unless given: recall against time */
  expansionSearch?: number
}

interface Usearch {
  Index: new (options: {
    dimensions: number
    metric: string
    quantization: string
    connectivity: number
    expansion_add: number
    expansion_search: number
    multi: boolean
  }) => UsearchIndex
}

/** Why usearch cannot be used here, or undefined. */
export const whyNoUsearch = (): string | undefined => {
  try {
    load()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** An empty index, which keeps vectors as f16 or f32. Throws GraphError for parameters out of range, BackendError where usearch is not installed or has no binary for this machine. */
export const openIndex = (
  dimensions: number,
  metric: 'ip' | 'l2sq',
  quantization: 'f16' | 'f32',
  { connectivity = 16, expansionAdd = 128, expansionSearch = 64 }: HnswParameters,
): UsearchIndex => {
  for (const [name, value] of Object.entries({ connectivity, expansionAdd, expansionSearch }))
    checkInteger('kneighbors', `hnsw.${name}`, value, 2, 65_536, 'leave it out for the default')
  const { Index } = load()
  const [expansion_add, expansion_search] = [expansionAdd, expansionSearch]
  const sizes = { dimensions, connectivity, expansion_add, expansion_search }
  return new Index({ ...sizes, metric, quantization, multi: false })
}

/** Asked for at run time: it is an optional peer, and bundlers must not look for it. */
const load = (): Usearch => {
  const node = typeof process === 'object' ? process.getBuiltinModule?.('node:module') : undefined
  if (!node)
    throw new BackendError("kneighbors: algorithm 'hnsw' runs in Node, got another runtime; use 'exact'")
  try {
    return node.createRequire(import.meta.url)('usearch') as Usearch
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : error
    throw new BackendError(
      `kneighbors: algorithm 'hnsw' needs usearch, got ${reason}; npm install usearch, or use 'exact'`,
      { cause: error },
    )
  }
}
