import { FormatError, shapeText } from '@tau/tensor'
import {
  encodeSafetensors,
  type FolderPlace,
  type NamedArray,
  openSafetensors,
  pathOf,
  readFileBytes,
  readUtf8File,
  sha256,
  storeAt,
} from '@tau/tensor/files'
import type { DenseMatrix } from '../dense/matrix.ts'
import { GraphError } from '../errors.ts'
import { encodeHeader, type Header, parseHeader } from './header.ts'
import { type Definition, hasOwnTau, type Measures } from './measures.ts'

const ARRAYS_NAME = 'taumode-index.safetensors'
const HEADER_NAME = 'taumode-index.json'
const OP = 'TaumodeIndex.load'
/** Largest header. The real one has a dozen lines. */
const MAX_HEADER_BYTES = 2 ** 16
/** Most bytes that Node reads at once, so most bytes of an index. */
const MAX_BYTES = 2 ** 31 - 1

/** Everything that an index consists of. */
export interface IndexState {
  readonly definition: Definition
  readonly tau: number | undefined
  readonly nextId: number
  readonly vectors: DenseMatrix
  readonly ids: Float64Array
  readonly measures: Measures
}

/** Writes both files, the arrays first. If the process dies between the two renames, `readIndex` sees that
 *  they do not match. */
export const writeIndex = async (folder: FolderPlace, state: IndexState): Promise<void> => {
  const { vectors, definition, tau, nextId } = state
  const arrays = arraysOf(state)
  const dataBytes = [...arrays.values()].reduce((sum, { data }) => sum + data.byteLength, 0)
  if (dataBytes > MAX_BYTES - MAX_HEADER_BYTES) {
    throw new GraphError(
      `TaumodeIndex.save: ${vectors.rows} items must fit in 2 GiB, got ${dataBytes} bytes; save them as several indices`,
    )
  }
  const bytes = encodeSafetensors(arrays)
  const header: Header = {
    items: vectors.rows,
    dim: vectors.cols,
    policy: definition.policy,
    tau: tau ?? null,
    eps: definition.eps,
    dispersion: definition.dispersion,
    next_id: nextId,
    size_bytes: bytes.length,
    sha256: await sha256(bytes),
  }
  await storeAt(folder).write([
    { name: ARRAYS_NAME, content: bytes },
    { name: HEADER_NAME, content: encodeHeader(header) },
  ])
}

const arraysOf = ({ definition, vectors, ids, measures }: IndexState): Map<string, NamedArray> => {
  const { laplacian, policy, dispersion } = definition
  const numbers = (data: Float64Array | Int32Array): NamedArray => ({ shape: [data.length], data })
  return new Map<string, NamedArray>([
    ['vectors', { shape: [vectors.rows, vectors.cols], data: vectors.data }],
    ['ids', numbers(ids)],
    ['energy', numbers(measures.energy)],
    ...(dispersion > 0 ? [['dispersion', numbers(measures.dispersion)] as const] : []),
    ...(hasOwnTau(policy) ? [['tau', numbers(measures.ownTau)] as const] : []),
    ['laplacian.indptr', numbers(laplacian.indptr)],
    ['laplacian.indices', numbers(laplacian.indices)],
    ['laplacian.values', numbers(laplacian.values)],
  ])
}

/** Reads both files. It compares the size of the arrays with the header before it reads them. It checks their
 *  hash before it decodes them, and their shapes before it takes memory. Throws FormatError. The caller must
 *  check L. */
export const readIndex = async (folder: FolderPlace): Promise<IndexState> => {
  const store = storeAt(folder)
  const headerFile = { store, name: HEADER_NAME }
  const header = parseHeader(
    await readUtf8File(headerFile, OP, MAX_HEADER_BYTES),
    `${OP}: ${pathOf(headerFile)}`,
  )
  const arraysFile = { store, name: ARRAYS_NAME }
  const bytes = await readFileBytes(arraysFile, OP, Math.min(header.size_bytes, MAX_BYTES))
  const source = `${OP}: ${pathOf(arraysFile)}`
  const hash = await sha256(bytes)
  if (bytes.length !== header.size_bytes || hash !== header.sha256) {
    throw new FormatError(
      `${source}: the file must be the one that ${HEADER_NAME} describes, got ${bytes.length} bytes of sha256 ${hash} instead of ` +
        `${header.size_bytes} of ${header.sha256}; restore both or save the index again`,
    )
  }
  return decode(bytes, source, header)
}

const decode = (bytes: Uint8Array, source: string, header: Header): IndexState => {
  const { items, dim, policy, eps, dispersion, next_id: nextId, tau } = header
  const file = openSafetensors(bytes, source)
  const take = <A extends NamedArray['data']>(
    name: string,
    shape: readonly number[],
    ...types: (new (
      length: number,
    ) => A)[]
  ): A => {
    const entry = file.entries.get(name)
    if (entry && shapeText(entry.shape) === shapeText(shape)) {
      const { data } = file.decode(name)
      for (const type of types) if (data instanceof type) return data
    }
    const wanted = types.map((type) => type.name).join(' or ')
    const got = entry ? `${entry.dtype} ${shapeText(entry.shape)}` : 'none'
    throw new FormatError(
      `${source}: "${name}" must be ${wanted} ${shapeText(shape)}, got ${got}; save the index again`,
    )
  }
  const numbers = (name: string, wanted: string, isRight: (value: number) => boolean): Float64Array => {
    const data = take(name, [items], Float64Array)
    checkEach(source, name, data, wanted, isRight)
    return data
  }
  const vectors = take<Float32Array | Float64Array>('vectors', [items, dim], Float32Array, Float64Array)
  checkEach(source, 'vectors', vectors, 'finite', Number.isFinite)
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < nextId
  const ids = numbers('ids', `integers below next_id = ${nextId}`, isId)
  if (new Set(ids).size !== items) {
    throw new FormatError(
      `${source}: "ids" must differ, got ${new Set(ids).size} different ones among ${items} items; save the index again`,
    )
  }
  const isEnergy = (value: number) => value >= 0 && value < Number.POSITIVE_INFINITY
  const zeros = new Float64Array(items)
  const measures = {
    energy: numbers('energy', 'finite and at least 0', isEnergy),
    dispersion:
      dispersion > 0 ? numbers('dispersion', 'between 0 and 1', (value) => value >= 0 && value <= 1) : zeros,
    ownTau: hasOwnTau(policy) ? numbers('tau', 'finite and above 0', (v) => isEnergy(v) && v > 0) : zeros,
  }
  const entries = file.entries.get('laplacian.values')?.shape[0] ?? 0
  const laplacian = {
    nRows: dim,
    nCols: dim,
    indptr: take('laplacian.indptr', [dim + 1], Int32Array),
    indices: take('laplacian.indices', [entries], Int32Array),
    values: take('laplacian.values', [entries], Float64Array),
  }
  const definition = { laplacian, policy, dispersion, eps }
  return {
    definition,
    tau: tau ?? undefined,
    nextId,
    vectors: { data: vectors, rows: items, cols: dim },
    ids,
    measures,
  }
}

const checkEach = (
  source: string,
  name: string,
  data: Float32Array | Float64Array,
  wanted: string,
  isRight: (value: number) => boolean,
): void => {
  const wrong = data.findIndex((value) => !isRight(value))
  if (wrong >= 0) {
    throw new FormatError(
      `${source}: "${name}" must be ${wanted}, got ${data[wrong]} at element ${wrong}; save the index again`,
    )
  }
}
