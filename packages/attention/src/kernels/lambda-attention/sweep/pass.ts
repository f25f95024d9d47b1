import type { Device } from '@tau/tensor'
import type { KernelTable } from '../../../generated/table.ts'
import type { AttentionSizes } from '../../attention-shape.ts'
import { kernelsOf } from '../../table.ts'
import { sumHeadGrads } from '../head-grads.ts'
import type { LambdaHandles, LambdaPass } from '../pass.ts'

/** f32 elements that hold one f64. */
const WORDS = 2

/** Whether the device has the O(T log T) kernel of the cpu backend. */
export const hasSweep = (device: Device): boolean => kernelsOf(device).lambdaSweep !== undefined

export type SweepKernels = Pick<KernelTable, 'lambdaSweep' | 'lambdaSweepGrad'>

/** The forward pass in O(T log T), on buffers. Without `tape` nothing is kept for gradients. */
export function sweepPass(
  device: Device,
  handles: LambdaHandles,
  sizes: AttentionSizes,
  tape: boolean,
  { lambdaSweep, lambdaSweepGrad }: SweepKernels = kernelsOf(device),
): LambdaPass {
  if (!lambdaSweep || !lambdaSweepGrad)
    throw new Error('internal: sweepPass must run on a device with the kernel')
  const { batch, heads, queries, valueDim } = sizes
  const out = device.empty([batch, heads, queries, valueDim])
  const best = device.empty([batch, heads, queries, WORDS])
  lambdaSweep(handles, { out: out.handle, best: best.handle }, sizes)
  if (!tape) best.dispose()
  return {
    out,
    backward: (dOut, decayWanted) =>
      sumHeadGrads(device, sizes, decayWanted, (grads) =>
        lambdaSweepGrad(handles, { best: best.handle, dOut: dOut.handle }, grads, sizes),
      ),
  }
}
