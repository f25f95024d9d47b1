import { availableParallelism, totalmem } from 'node:os'
import type { ModelConfig } from '@tau/model'
import { MAX_CPU_BYTES } from '@tau/tensor'
import { estimateTraining } from '@tau/train'
import { trainOptions } from '../config/config.ts'
import { UsageError } from '../config/errors.ts'
import type { Config } from '../config/schema.ts'

/** Bytes that training needs on the cpu backend, and bytes that are available. */
export interface MemoryEstimate {
  readonly bytes: number
  readonly limit: number
  /** Flags that make the training fit. Undefined if it fits already. */
  readonly advice: string | undefined
}

/** Estimates the memory of a configuration with its number of threads. `limit` is the address space of
 *  WebAssembly, or the memory of this machine if that is less. */
export async function estimateMemory(
  { train, device }: Pick<Config, 'train' | 'device'>,
  model: ModelConfig,
  limit = Math.min(MAX_CPU_BYTES, totalmem()),
): Promise<MemoryEstimate> {
  const threads = device.threads ?? availableParallelism()
  const options = trainOptions({ train })
  const bytesOf = (seqLen: number, checkpointActivations: boolean) =>
    estimateTraining({ ...model, seqLen }, { ...options, checkpointActivations }, threads)
  const { seqLen } = model
  const { checkpointActivations } = train
  const bytes = await bytesOf(seqLen, checkpointActivations)
  if (bytes <= limit) return { bytes, limit, advice: undefined }
  if (!checkpointActivations) {
    const less = await bytesOf(seqLen, true)
    if (less <= limit)
      return { bytes, limit, advice: `pass --checkpoint-activations, which takes ${gigabytes(less)}` }
  }
  if (train.batchSize > 1)
    return { bytes, limit, advice: 'pass --batch-size 1 and a larger --accumulate, which train the same' }
  let shorter = seqLen
  while (shorter > 1 && (await bytesOf(shorter, true)) > limit) shorter = Math.ceil(shorter / 2)
  const advice =
    shorter > 1
      ? `pass --checkpoint-activations --seq-len ${shorter}, which takes ${gigabytes(await bytesOf(shorter, true))}`
      : 'use a smaller model'
  return { bytes, limit, advice }
}

export const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`

/** Throws if a run needs more memory than there is. It is called before anything is allocated. The gpu
 *  backend is not checked here, because it has its own limits. */
export async function checkMemory(config: Config, model: ModelConfig): Promise<void> {
  if (config.device.backend !== 'cpu') return
  const { bytes, limit, advice } = await estimateMemory(config, model)
  if (advice !== undefined)
    throw new UsageError(
      `train: memory must be at most ${gigabytes(limit)}, got ${gigabytes(bytes)}; ${advice}`,
    )
}
