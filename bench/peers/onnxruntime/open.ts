import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dotAttention } from '@tau/attention'
import type { Device } from '@tau/tensor'
import { randomArray } from '@tau/testing'
import { installed, type OnDemand } from '../../harness/install.ts'
import type { GroupContext } from '../../registry.ts'
import { type Absent, openPeer, type Peer } from '../peer.ts'
import { NODE } from '../program.ts'

const RUNTIME: OnDemand = { folder: import.meta.dirname, what: 'onnxruntime-node, 291 MB' }

type Context = Pick<GroupContext, 'install' | 'line'>

/** Products of two squares of `size`. */
export async function openOnnxProducts(context: Context, size: number): Promise<Peer | Absent> {
  const packages = installed(RUNTIME, context)
  if ('absent' in packages) return packages
  return openPeer(NODE, 'onnxruntime/products-process.ts', [String(size), packages.modules])
}

/** One sequence of causal attention. */
export interface AttentionShape {
  readonly heads: number
  readonly length: number
  readonly dim: number
}

/** Causal softmax attention. Before it is timed, the peer compares its result with ours on the same
 *  numbers. */
export async function openOnnxAttention(
  context: Context,
  device: Device,
  { heads, length, dim }: AttentionShape,
): Promise<Peer | Absent> {
  const packages = installed(RUNTIME, context)
  if ('absent' in packages) return packages
  const folder = mkdtempSync(join(tmpdir(), 'tau-attention-'))
  try {
    using _scope = device.scope()
    const axes = [1, heads, length, dim]
    const [q, k, v] = [1, 2, 3].map((seed) =>
      device.tensor(Float32Array.from(randomArray(heads * length * dim, seed)), axes),
    )
    const tensors = { query: q, key: k, value: v, expected: dotAttention({ q, k, v }) }
    for (const [name, tensor] of Object.entries(tensors))
      writeFileSync(join(folder, name), byToken(await tensor.data(), heads, length, dim))
    const args = [folder, ...[heads, length, dim].map(String), packages.modules]
    return await openPeer(NODE, 'onnxruntime/attention-process.ts', args)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** [H, T, D] → [T, H, D] */
function byToken(values: Float32Array, heads: number, length: number, dim: number): Float32Array {
  const rows = new Float32Array(values.length)
  for (let head = 0; head < heads; head++)
    for (let token = 0; token < length; token++) {
      const from = (head * length + token) * dim
      rows.set(values.subarray(from, from + dim), (token * heads + head) * dim)
    }
  return rows
}
