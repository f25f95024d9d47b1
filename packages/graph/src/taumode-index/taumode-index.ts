import { type Device, shapeText } from '@tau/tensor'
import { type FolderPlace, storeAt } from '@tau/tensor/files'
import { checkInteger, type DenseMatrix } from '../dense/matrix.ts'
import { matrixOf, type Points } from '../dense/points.ts'
import { GraphError } from '../errors.ts'
import { cpuEngine } from '../kernels/cpu-engine.ts'
import { assertLaplacian } from '../laplacian/check.ts'
import type { Csr } from '../sparse/csr.ts'
import { DEFAULT_EPS, type TauPolicy } from '../taumode/taumode.ts'
import type { WatchOptions } from '../watch/watch.ts'
import { bestSlots } from './best.ts'
import { cosines, rowNorms } from './cosines.ts'
import { readIndex, writeIndex } from './files.ts'
import { newIds } from './ids.ts'
import { Items } from './items.ts'
import { LambdaOrder } from './lambda-order.ts'
import { type Definition, hasOwnTau, lambdas, measure, sharedTau } from './measures.ts'

export interface TaumodeIndexOptions {
  /** the policy that chooses τ; the median of the items' energies unless given */
  policy?: TauPolicy
  /** Weight δ of the dispersion G (see `edgeDispersion`) in λ, 0 to 1; 0 unless given. In ArrowSpace's blend
   *  α E′ + (1 − α) G it is 1 − α. */
  dispersion?: number
  /** ε of the Rayleigh quotient; 1e-6 unless given */
  eps?: number
  /** A cpu device that keeps the vectors and searches on its threads; plain JavaScript unless given. The bits
   *  are the same. */
  device?: Device
}

/** Weights of the two parts of a score, each at least 0. { alpha: 1, beta: 0 } searches by cosine alone. */
export interface TaumodeSearchOptions {
  /** 0.7 unless given */
  alpha?: number
  /** 0.3 unless given */
  beta?: number
}

export interface TaumodeHit {
  id: number
  /** alpha · cosine + beta · proximity */
  score: number
  /** cosine of query and item, in [−1, 1]; 0 if either is a row of zeros */
  cosine: number
  /** 1 / (1 + |λ − λ of the query|), in [1/2, 1] */
  proximity: number
  lambda: number
}

export interface TaumodeItem {
  id: number
  vector: Float32Array | Float64Array
  lambda: number
  energy: number
  /** G; undefined if its weight in the index is 0 */
  dispersion: number | undefined
}

/** An index of vectors. It searches by cosine and taumode λ, and lists items by λ.
 *
 *  λ = (1 − δ) E / (E + τ) + δ G, in [0, 1]. E is the Rayleigh energy, G the dispersion and δ its weight. A
 *  policy of energies gives one τ, from the energies of the first items that are added. This τ stays until
 *  `recalibrate`, so the λ of an item does not change when others come and go. The reference policies take τ
 *  from each vector's own components.
 *
 *  All arithmetic is f64. With the same τ, the same items give the same results, whatever the order of adding
 *  and removing. An index on a device must be disposed of, or declared with `using`; that frees its memory
 *  and removes all items.
 *  Memory: 4 bytes per coordinate if all vectors are f32, else 8, on the device if there is one. In addition
 *  110 bytes per item. After growing it can be twice that. Time for N items of width D and L with nnz
 *  entries: add m O(m (nnz + D + log m) + N), remove m O(N + m D), search O(N D), byLambda O(log N + hits).
 *  Source: ArrowSpace, JOSS 10.21105/joss.09002. It departs from its code: see `TauPolicy` for τ and
 *  `edgeDispersion` for the blend. */
export class TaumodeIndex implements Disposable {
  readonly #definition: Definition
  readonly #items: Items
  readonly #order: LambdaOrder
  readonly #slotOf = new Map<number, number>()
  #tau: number | undefined
  #nextId = 0

  /** `laplacian` [D, D] is kept, not copied, so it must not be changed. Throws GraphError for a matrix that
   *  is not a Laplacian and for options out of range, and BackendError for a device that is not a cpu. */
  constructor(
    laplacian: Csr,
    { policy = { name: 'median' }, dispersion = 0, eps = DEFAULT_EPS, device }: TaumodeIndexOptions = {},
  ) {
    const op = 'TaumodeIndex'
    assertLaplacian(op, laplacian, { rowSums: 'any' })
    if (!(dispersion >= 0 && dispersion <= 1)) {
      throw new GraphError(`${op}: dispersion must be between 0 and 1, got ${dispersion}`)
    }
    if (!(eps >= 0 && Number.isFinite(eps))) {
      throw new GraphError(`${op}: eps must be finite and at least 0, got ${eps}`)
    }
    this.#definition = { laplacian, policy: { ...policy }, dispersion, eps }
    this.#tau = sharedTau(policy, new Float64Array(0))
    this.#items = new Items(laplacian.nRows, device && cpuEngine(op, device))
    this.#order = new LambdaOrder(this.#items)
  }

  /** Number of items. */
  get size(): number {
    return this.#items.size
  }

  /** Width of the vectors. */
  get dim(): number {
    return this.#items.dim
  }

  /** The τ that all vectors share. It is undefined before the first items, and for a policy that gives every
   *  vector its own τ. */
  get tau(): number | undefined {
    return this.#tau
  }

  /** Adds the rows [m, D] and returns their ids: the given ones, which are integers of at least 0, or the
   *  next ones after the largest id ever used. Either all rows are added or none. A row of zeros has λ 0 and
   *  cosine 0 with every other.
   *  Throws GraphError, with row and value, for rows of another width, numbers that are not finite, and ids
   *  that are in use. The largest magnitude of a row must be 0 or between 1e-120 and 1e120. Throws the
   *  signal's reason when it is aborted. */
  add(points: Points, { ids, ...options }: { ids?: ArrayLike<number> } & WatchOptions = {}): number[] {
    const op = 'TaumodeIndex.add'
    const x = this.#rows(op, points)
    const added = newIds(op, ids, x.rows, this.#nextId, (id) => this.#slotOf.has(id))
    const norm = rowNorms(op, x)
    const measures = measure(x, this.#definition, options)
    const tau = this.#tau ?? sharedTau(this.#definition.policy, measures.energy)
    const lambda = lambdas(op, measures, tau, this.#definition.dispersion)
    const first = this.#items.size
    this.#items.append(x, { ids: added, norm, lambda, ...measures })
    this.#tau = tau
    added.forEach((id, n) => {
      this.#slotOf.set(id, first + n)
      this.#nextId = Math.max(this.#nextId, id + 1)
    })
    this.#order.insertFrom(first)
    return Array.from(added)
  }

  /** Removes the item with this id, or all items with these ids in one pass; either all or none. Throws
   *  GraphError for an unknown id. */
  remove(ids: number | readonly number[]): void {
    const slots = new Set<number>()
    for (const id of typeof ids === 'number' ? [ids] : ids) {
      const slot = this.#slot('TaumodeIndex.remove', id)
      if (slots.has(slot)) {
        throw new GraphError(`TaumodeIndex.remove: ids must differ, got ${id} twice; pass it once`)
      }
      slots.add(slot)
    }
    const held = this.#items.column('ids')
    const moved = this.#items.remove([...slots])
    for (let slot = 0; slot < moved.length; slot++) {
      if (moved[slot] < 0) this.#slotOf.delete(held[slot])
      else if (moved[slot] !== slot) this.#slotOf.set(held[slot], moved[slot])
    }
    this.#order.follow(moved)
  }

  has(id: number): boolean {
    return this.#slotOf.has(id)
  }

  /** A copy of an item. Throws GraphError for an unknown id. */
  get(id: number): TaumodeItem {
    const slot = this.#slot('TaumodeIndex.get', id)
    const { energy, dispersion, lambda } = this.#items.columns
    return {
      id,
      vector: this.#items.vector(slot),
      lambda: lambda[slot],
      energy: energy[slot],
      dispersion: this.#definition.dispersion > 0 ? dispersion[slot] : undefined,
    }
  }

  /** Chooses τ again, by the policy, from the energies of all present items. O(N log N). If there are no
   *  items, the next ones decide. */
  recalibrate(): void {
    const columns = {
      energy: this.#items.column('energy'),
      dispersion: this.#items.column('dispersion'),
      ownTau: this.#items.column('ownTau'),
    }
    const { policy, dispersion } = this.#definition
    const tau = sharedTau(policy, columns.energy)
    if (this.size > 0) {
      const lambda = lambdas('TaumodeIndex.recalibrate', columns, tau, dispersion)
      this.#items.columns.lambda.set(lambda)
    }
    this.#tau = tau
    this.#order.rebuild()
  }

  /** λ of any rows [m, D] with this index's τ → [m]. Throws GraphError as `add` does, and if there is no τ
   *  yet. */
  lambdaOf(points: Points, options: WatchOptions = {}): Float64Array {
    const op = 'TaumodeIndex.lambdaOf'
    return this.#lambdas(op, this.#rows(op, points), options)
  }

  /** The k items with the largest score α cos + β / (1 + |Δλ|), best first; equal scores go to the smaller
   *  id. The search is exact: it computes every item's score in f64. Throws GraphError for a query [D] that
   *  `add` would refuse, for k that is not between 1 and the number of items, and for weights that are
   *  negative or not finite. */
  search(
    query: ArrayLike<number>,
    k: number,
    { alpha = 0.7, beta = 0.3 }: TaumodeSearchOptions = {},
  ): TaumodeHit[] {
    const op = 'TaumodeIndex.search'
    checkInteger(op, 'k', k, 1, this.size, this.size === 0 ? 'add items first' : 'change k or add items')
    checkWeight(op, 'alpha', alpha)
    checkWeight(op, 'beta', beta)
    const x = this.#rows(op, [query])
    const [norm] = rowNorms(op, x)
    const [queryLambda] = this.#lambdas(op, x)
    const unit = Float64Array.from(x.data, (value) => (norm === 0 ? 0 : value / norm))
    const cosine = cosines(unit, this.#items)
    const { ids, lambda } = this.#items.columns
    const proximity = (slot: number) => 1 / (1 + Math.abs(lambda[slot] - queryLambda))
    const scores = new Float64Array(cosine.length)
    for (let slot = 0; slot < scores.length; slot++) {
      scores[slot] = alpha * cosine[slot] + beta * proximity(slot)
    }
    return Array.from(bestSlots(scores, ids, k), (slot) => ({
      id: ids[slot],
      score: scores[slot],
      cosine: cosine[slot],
      proximity: proximity(slot),
      lambda: lambda[slot],
    }))
  }

  /** Ids of the items with low ≤ λ ≤ high, sorted by λ, then by id. O(log N + hits). Throws GraphError unless
   *  low ≤ high. */
  byLambda(low: number, high: number): number[] {
    if (!(low <= high)) {
      throw new GraphError(
        `TaumodeIndex.byLambda: low must be at most high, got ${low} and ${high}; swap them`,
      )
    }
    const { ids } = this.#items.columns
    return Array.from(this.#order.range(low, high), (slot) => ids[slot])
  }

  /** Writes the index, with L, into `folder` (created if missing) as taumode-index.safetensors and
   *  taumode-index.json. The write is atomic, so a full disk leaves the old files. Throws GraphError for an
   *  index above the 2 GiB that `load` reads, and Error for a folder that cannot be written. */
  async save(folder: FolderPlace): Promise<void> {
    const { size, dim, vectors } = this.#items
    await writeIndex(folder, {
      definition: this.#definition,
      tau: this.#tau,
      nextId: this.#nextId,
      vectors: { data: vectors.subarray(0, size * dim), rows: size, cols: dim },
      ids: this.#items.column('ids'),
      measures: {
        energy: this.#items.column('energy'),
        dispersion: this.#items.column('dispersion'),
        ownTau: this.#items.column('ownTau'),
      },
    })
  }

  /** Reads what `save` wrote, with the same bits. It checks sizes and the hash before it decodes anything.
   *  Throws FormatError for damaged files, GraphError for an L, options or vectors that are not valid for an
   *  index, and Error for files that cannot be read. */
  static async load(
    folder: FolderPlace,
    { device }: Pick<TaumodeIndexOptions, 'device'> = {},
  ): Promise<TaumodeIndex> {
    const op = `TaumodeIndex.load: ${storeAt(folder).path}`
    const { definition, tau, nextId, vectors, ids, measures } = await readIndex(folder)
    const index = new TaumodeIndex(definition.laplacian, { ...definition, device })
    const norm = rowNorms(op, vectors)
    const lambda = lambdas(op, measures, tau, definition.dispersion)
    index.#items.append(vectors, { ids, norm, lambda, ...measures })
    ids.forEach((id, slot) => {
      index.#slotOf.set(id, slot)
    })
    index.#tau = tau
    index.#nextId = nextId
    index.#order.rebuild()
    return index
  }

  [Symbol.dispose](): void {
    this.#items[Symbol.dispose]()
    this.#order.rebuild()
    this.#slotOf.clear()
  }

  #slot(op: string, id: number): number {
    const slot = this.#slotOf.get(id)
    if (slot === undefined) {
      throw new GraphError(`${op}: id must be one of the ${this.size} items, got ${id}; check with has()`)
    }
    return slot
  }

  #rows(op: string, points: Points): DenseMatrix {
    const x = matrixOf(op, points)
    if (x.cols !== this.dim) {
      throw new GraphError(
        `${op}: rows must be as wide as L, D = ${this.dim}, got ${shapeText([x.rows, x.cols])}; reduce them like the rows of the graph`,
      )
    }
    const isF32 = !('data' in points) && points.every((row) => row instanceof Float32Array)
    return isF32 ? { ...x, data: Float32Array.from(x.data) } : x
  }

  #lambdas(op: string, x: DenseMatrix, options: WatchOptions = {}): Float64Array {
    if (this.#tau === undefined && !hasOwnTau(this.#definition.policy)) {
      throw new GraphError(
        `${op}: tau must be known, got an index that never had items; add items, or use policy fixed`,
      )
    }
    return lambdas(op, measure(x, this.#definition, options), this.#tau, this.#definition.dispersion)
  }
}

const checkWeight = (op: string, name: string, value: number): void => {
  if (!(value >= 0 && Number.isFinite(value))) {
    throw new GraphError(`${op}: ${name} must be finite and at least 0, got ${value}`)
  }
}
