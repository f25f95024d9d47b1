import { FormatError } from '@tau/tensor'
import { decodeSafetensors, encodeSafetensors } from '@tau/tensor/files'
import type { OptimizerState } from '@tau/tensor/optim'

/** Files without a name are from before there was a choice. */
const FIRST_OPTIMIZER = 'adamw'

/** A safetensors file: the arrays, and as metadata the optimizer's name and counts. */
export const encodeOptimizerState = ({
  optimizer,
  counts,
  tensors,
}: OptimizerState): Uint8Array<ArrayBuffer> =>
  encodeSafetensors(tensors, { optimizer, counts: JSON.stringify(counts) })

/** The state in the bytes of a file. `path` names the file in errors, `steps` stands for the counts of files without any. */
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
    // Said below.
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
