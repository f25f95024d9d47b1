import { cpu } from '@tau/tensor'
import type { Message } from './messages.ts'
import { unroll } from './unroll.ts'

const send = (message: Message, transfer: Transferable[] = []): void =>
  globalThis.postMessage(message, { transfer })

const run = async (): Promise<void> => {
  const device = await cpu()
  try {
    const start = performance.now()
    const result = await unroll(device, (text) => send({ kind: 'status', text }))
    const ms = performance.now() - start
    const { threads, fallbacks } = device.info
    const { points, layout, graph } = result
    const arrays = [points, layout, graph.indptr, graph.indices, graph.values]
    send(
      { kind: 'done', result, threads, fallbacks, ms },
      arrays.map(({ buffer }) => buffer as ArrayBuffer),
    )
  } finally {
    await device.close()
  }
}

run().catch((error: unknown) => send({ kind: 'failed', text: String(error) }))
