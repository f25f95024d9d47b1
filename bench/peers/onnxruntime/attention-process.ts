import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expectNear } from '@tau/testing'
import { loadOrAbsent, serve } from '../serve.ts'
import { attentionModel, oneRowOf } from './model.ts'
import { loadRuntime, openSession, versionOf } from './session.ts'

// Causal attention by ONNX Runtime on one thread. Arguments: a folder with query, key, value and expected as
// f32 [T, H·D]; heads, length, head dimension; folder of the installed packages.
const [, , folder, heads, length, dim, modules] = process.argv

const read = (name: string): Float32Array =>
  new Float32Array(new Uint8Array(readFileSync(join(folder, name))).buffer)

const runtime = await loadOrAbsent(() => loadRuntime(modules))
if (runtime) {
  const model = attentionModel(Number(heads), Number(length), Number(dim))
  const values = {
    ...{ query: read('query'), key: read('key'), value: read('value') },
    ...{ last: [Number(length) - 1], total: [Number(length)], row: [0] },
  }
  const whole = await openSession(runtime, model, values, 1)
  expectNear(await whole(), Float64Array.from(read('expected')), { atol: 1e-5 }) // two f32 sums in other orders
  const row = await openSession(runtime, oneRowOf(model, 1), values, 1)
  await serve(
    { version: versionOf(runtime), setting: 'GroupQueryAttention 1 thread' },
    async () => void (await row()),
  )
}
