import type { Device } from '@tau/tensor'
import { MAX_GROUPS } from '@tau/tensor/kernel'
import type { KernelTable } from '../../../generated/table.ts'
import type { AttentionSizes } from '../../attention-shape.ts'
import { kernelsOf } from '../../table.ts'
import { sumHeadGrads } from '../head-grads.ts'
import type { LambdaHandles, LambdaPass } from '../pass.ts'
import { STATS } from '../stats.ts'
import { longestBuffer } from './levels.ts'

/** Whether the device has the O(T log T) kernel for GPUs. */
export const hasMerge = (device: Device): boolean => kernelsOf(device).lambdaMerge !== undefined

/** The least numbers of keys and of queries for which this kernel is faster than the one over all pairs. It
 *  launches three to four times as many kernels, and short inputs do not make up for them. docs/LOG.md has
 *  the measurements. */
const MERGE_KEYS = 4096
const MERGE_QUERIES = 1024

/** Whether this kernel is the better choice. Two limits count too: its buffers may be longer than the device
 *  allows, and all heads lie along one axis of workgroups. */
export function prefersMerge({ engine }: Device, sizes: AttentionSizes, tape: boolean): boolean {
  const { batch, heads, queries, keys } = sizes
  const isLong = keys >= MERGE_KEYS && queries >= MERGE_QUERIES
  const fits = engine.backend === 'gpu' && longestBuffer(sizes, tape) <= engine.maxLength
  return isLong && fits && batch * heads <= MAX_GROUPS
}

export type MergeKernels = Pick<KernelTable, 'lambdaMerge' | 'lambdaMergeGrad'>

/** The forward pass in O(T log T) on a GPU, on buffers. Without `tape` nothing is kept for gradients. */
export function mergePass(
  device: Device,
  handles: LambdaHandles,
  sizes: AttentionSizes,
  tape: boolean,
  { lambdaMerge, lambdaMergeGrad }: MergeKernels = kernelsOf(device),
): LambdaPass {
  if (!lambdaMerge || !lambdaMergeGrad)
    throw new Error('internal: mergePass must run on a device with the kernel')
  const { batch, heads, queries, valueDim } = sizes
  const out = device.empty([batch, heads, queries, valueDim])
  const rest = tape ? device.empty([batch, heads, queries, valueDim]) : undefined
  const stats = device.empty([batch * heads * queries, STATS])
  lambdaMerge(handles, { out: out.handle, rest: rest?.handle, stats: stats.handle }, sizes)
  if (!rest) stats.dispose()
  return {
    out,
    backward(dOut, decayWanted) {
      if (!rest) throw new Error('internal: mergePass must have been run with a tape for its gradients')
      return sumHeadGrads(device, sizes, decayWanted, (grads) =>
        lambdaMergeGrad(handles, { stats: stats.handle, rest: rest.handle, dOut: dOut.handle }, grads, sizes),
      )
    },
  }
}
