import { FLOAT_BYTES, FormatError, openSafetensors, type SafetensorsEntry } from '@tau/tensor'
import type { DenseMatrix } from '../dense.ts'
import { checkEmbeddings } from './numbers.ts'

const OP = 'safetensors'

/** One two-axis float tensor (F16, BF16, F32, F64) of a .safetensors file → matrix. `tensor` names it; without a name the file must hold
 *  exactly one. The whole header is checked, only this tensor is decoded. Throws FormatError for a header or an offset that lies. */
export const parseSafetensors = (bytes: Uint8Array, { tensor }: { tensor?: string } = {}): DenseMatrix => {
  const { entries, decode } = openSafetensors(bytes, OP)
  const names = [...entries].flatMap(([name, entry]) => {
    const isWanted = tensor === undefined ? isFloatMatrix(entry) : name === tensor
    return isWanted ? [name] : []
  })
  const entry = entries.get(names[0])
  if (names.length !== 1 || !entry) {
    throw new FormatError(
      `${OP}: ${tensor === undefined ? 'must hold exactly one float tensor of two axes' : `must hold "${tensor}"`}, ` +
        `got ${[...entries.keys()].slice(0, 8).join(', ') || 'no tensors'}; pass the tensor's name`,
    )
  }
  const data = isFloatMatrix(entry) ? decode(names[0]).data : undefined
  if (!data || data instanceof Int32Array) {
    throw new FormatError(
      `${OP}: "${names[0]}" must be a float tensor of two axes, got ${entry.dtype} [${entry.shape.join(', ')}]`,
    )
  }
  const [rows, cols] = entry.shape
  return checkEmbeddings(OP, { data, rows, cols })
}

const isFloatMatrix = ({ dtype, shape }: SafetensorsEntry): boolean =>
  Object.hasOwn(FLOAT_BYTES, dtype) && shape.length === 2
