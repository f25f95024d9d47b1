import type { DenseMatrix } from '../dense.ts'
import { FormatError } from '../errors.ts'
import { BYTES_OF, checkEmbeddings, decodeFloats, type FloatType } from './numbers.ts'

const OP = 'safetensors'
/** Largest header, as in the format's own implementation. */
const MAX_HEADER = 100_000_000

interface TensorInfo {
  dtype: string
  shape: number[]
  start: number
  end: number
}

/** One two-axis float tensor (F16, BF16, F32, F64) of a .safetensors file → matrix. `tensor` names it; without a name the file must hold
 *  exactly one. The whole header is checked: tensors must lie one after the other and fill the file.
 *  Throws FormatError for a header or an offset that lies. */
export const parseSafetensors = (bytes: Uint8Array, { tensor }: { tensor?: string } = {}): DenseMatrix => {
  const { tensors, dataStart } = readHeader(bytes)
  const names = [...tensors.keys()]
  const fits = ({ dtype, shape }: TensorInfo) => dtype in BYTES_OF && shape.length === 2
  const candidates =
    tensor === undefined ? names.filter((name) => fits(tensors.get(name) as TensorInfo)) : [tensor]
  const info = tensors.get(candidates[0])
  if (candidates.length !== 1 || !info) {
    throw new FormatError(
      `${OP}: ${tensor === undefined ? 'must hold exactly one float tensor of two axes' : `must hold "${tensor}"`}, ` +
        `got ${names.slice(0, 8).join(', ') || 'no tensors'}; pass the tensor's name`,
    )
  }
  if (!fits(info)) {
    throw new FormatError(
      `${OP}: "${candidates[0]}" must be a float tensor of two axes, got ${info.dtype} [${info.shape.join(', ')}]`,
    )
  }
  const [rows, cols] = info.shape
  const data = decodeFloats(
    bytes.subarray(dataStart + info.start, dataStart + info.end),
    info.dtype as FloatType,
  )
  return checkEmbeddings(OP, { data, rows, cols })
}

const readHeader = (bytes: Uint8Array): { tensors: Map<string, TensorInfo>; dataStart: number } => {
  const fail = (rule: string): never => {
    throw new FormatError(`${OP}: ${rule}; the file is damaged, write it again`)
  }
  if (bytes.length < 8) fail(`a file has at least 8 bytes, got ${bytes.length}`)
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true))
  if (length > MAX_HEADER || 8 + length > bytes.length) {
    fail(`the header must fit the file, got ${length} header bytes in ${bytes.length}`)
  }
  let header: unknown
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + length)))
  } catch (error) {
    fail(`the header must be JSON, got "${(error as Error).message}"`)
  }
  if (typeof header !== 'object' || header === null) fail(`the header must be an object, got ${header}`)
  const tensors = new Map<string, TensorInfo>()
  for (const [name, value] of Object.entries(header as Record<string, unknown>)) {
    if (name !== '__metadata__') tensors.set(name, tensorInfo(name, value, fail))
  }
  let end = 0
  for (const [name, info] of [...tensors].sort(([, a], [, b]) => a.start - b.start || a.end - b.end)) {
    if (info.start !== end)
      fail(`tensors must follow each other, got "${name}" at ${info.start} instead of ${end}`)
    end = info.end
  }
  const dataStart = 8 + length
  if (dataStart + end !== bytes.length) {
    fail(
      `the tensors must fill the file, got ${end} bytes of tensors and ${bytes.length - dataStart} of data`,
    )
  }
  return { tensors, dataStart }
}

const tensorInfo = (name: string, value: unknown, fail: (rule: string) => never): TensorInfo => {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>
  const counts = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && n >= 0)
  if (typeof dtype !== 'string' || !counts(shape) || !counts(offsets) || offsets.length !== 2) {
    return fail(
      `"${name}" must have dtype, shape and data_offsets, got ${JSON.stringify(value)?.slice(0, 80)}`,
    )
  }
  const [start, end] = offsets
  const bytesOf = dtype in BYTES_OF ? BYTES_OF[dtype as FloatType] : undefined
  const elements = shape.reduce((product, size) => product * size, 1)
  if (end < start || (bytesOf !== undefined && elements * bytesOf !== end - start)) {
    fail(
      `"${name}" of ${dtype} [${shape.join(', ')}] must have as many bytes as elements need, got offsets ${start} to ${end}`,
    )
  }
  return { dtype, shape, start, end }
}
