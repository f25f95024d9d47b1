import { FormatError } from '@tau/tensor'
import { decodeSafetensors, encodeSafetensors } from '@tau/tensor/files'
import type { OptimizerState } from '@tau/tensor/optim'

/** The optimizer of files without a name. They are older than the choice of optimizers. */
const FIRST_OPTIMIZER = 'adamw'

/** The state as a safetensors file: its arrays, with the name and counts of the optimizer as metadata. */
export const encodeOptimizerState = ({
  optimizer,
  counts,
  tensors,
}: OptimizerState): Uint8Array<ArrayBuffer> =>
  encodeSafetensors(tensors, { optimizer, counts: JSON.stringify(counts) })

/** Reads the state from the bytes of a file. `path` names the file in errors. Old files have no counts; for
 *  them `steps` is the count. */
export function decodeOptimizerState(bytes: Uint8Array, path: string, steps: number): OptimizerState {
  const { tensors, metadata } = decodeSafetensors(bytes, path)
  const { optimizer = FIRST_OPTIMIZER, counts = JSON.stringify({ steps }) } = metadata
  return { optimizer, counts: parseCounts(counts, path), tensors }
}

function parseCounts(text: string, path: string): Record<string, number> {
  let counts: unknown
  try {
    counts = JSON.parse(text)
  } catch {
    // The error is thrown below.
  }
  if (!isCounts(counts))
    throw new FormatError(
      `${path}: counts must map names to whole numbers of at least 0, got ${text.slice(0, 80)}; use another checkpoint`,
    )
  return counts
}

const isCounts = (value: unknown): value is Record<string, number> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((count) => Number.isSafeInteger(count) && count >= 0)
