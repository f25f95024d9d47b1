import { FormatError } from '@tau/tensor'
import {
  type FileParts,
  FLOAT_BYTES,
  type FloatType,
  type SafetensorsEntry,
  safetensorsHeader,
  safetensorsHeaderBytes,
} from '@tau/tensor/files'
import { bytesAt } from '../../files/bytes.ts'
import type { RawRows } from './raw-rows.ts'

const OP = 'safetensors'

/** The place of one float tensor with two axes (F16, BF16, F32, F64) in a .safetensors file. `name` is its
 *  name; without a name the file must hold exactly one such tensor. The whole header is checked. Throws
 *  FormatError for a header or an offset that is wrong. */
export const safetensorsRows = async (parts: FileParts, name: string | undefined): Promise<RawRows> => {
  const { size } = parts
  const headerBytes = safetensorsHeaderBytes(await bytesAt(parts, 0, Math.min(size, 8)), size, OP)
  const { entries } = safetensorsHeader(await bytesAt(parts, 0, headerBytes), size, OP)
  const names = [...entries].flatMap(([key, entry]) => {
    const isWanted = name === undefined ? isFloatMatrix(entry) : key === name
    return isWanted ? [key] : []
  })
  const entry = entries.get(names[0])
  if (names.length !== 1 || !entry) {
    throw new FormatError(
      `${OP}: ${name === undefined ? 'the file must hold exactly one float tensor of two axes' : `the file must hold "${name}"`}, ` +
        `got ${[...entries.keys()].slice(0, 8).join(', ') || 'no tensors'}; pass the tensor's name`,
    )
  }
  const { dtype, shape, begin } = entry
  if (!isFloat(dtype) || shape.length !== 2) {
    throw new FormatError(
      `${OP}: "${names[0]}" must be a float tensor of two axes, got ${dtype} [${shape.join(', ')}]`,
    )
  }
  return { type: dtype, rows: shape[0], cols: shape[1], start: begin, order: 'rows' }
}

const isFloat = (dtype: string): dtype is FloatType => Object.hasOwn(FLOAT_BYTES, dtype)

const isFloatMatrix = ({ dtype, shape }: SafetensorsEntry): boolean => isFloat(dtype) && shape.length === 2
