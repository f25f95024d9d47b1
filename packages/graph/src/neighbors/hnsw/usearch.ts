import { BackendError } from '@tau/tensor'
import { checkInteger } from '../../dense/matrix.ts'

/** The part of usearch's index that we use. */
export interface UsearchIndex {
  add(keys: BigUint64Array, vectors: Float32Array, threads: number): void
  /** The keys of vector n start at n·k. `counts` is missing for a single vector. */
  search(vectors: Float32Array, k: number, threads: number): { keys: BigUint64Array; counts?: BigUint64Array }
}

/** usearch's parameters: the links of a node, and the nodes that are visited to add a point and to search for
 *  one. */
export interface HnswParameters {
  /** 16 unless given */
  connectivity?: number
  /** 128 unless given */
  expansionAdd?: number
  /** 64 unless given; more raises recall and takes longer */
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

/** The reason why usearch cannot be used here, or undefined. */
export const whyNoUsearch = (): string | undefined => {
  try {
    load()
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** An empty index that keeps vectors as f16 or f32. Throws GraphError for parameters out of range, and
 *  BackendError if usearch is not installed or has no binary for this machine. */
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

/** Loads usearch at run time, because it is an optional peer that bundlers must not look for. */
const load = (): Usearch => {
  const node = typeof process === 'object' ? process.getBuiltinModule?.('node:module') : undefined
  if (!node)
    throw new BackendError("kneighbors: algorithm 'hnsw' needs Node, got another runtime; use 'exact'")
  try {
    return node.createRequire(import.meta.url)('usearch') as Usearch
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : error
    throw new BackendError(
      `kneighbors: algorithm 'hnsw' needs usearch, got ${reason}; install it with npm install usearch, or use 'exact'`,
      { cause: error },
    )
  }
}
