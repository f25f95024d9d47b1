import type { MetricsRecord } from '@tau/train'
import { Gate } from './gate.ts'
import type { Command, Message } from './messages.ts'
import { run } from './run.ts'

const gate = new Gate()
const stop = new AbortController()
const send = (message: Message): void => globalThis.postMessage(message)

/** Gives the event loop a turn, so commands of the page arrive. Without it a run on the cpu backend would
 *  block them, because its promises resolve at once. */
const listen = () => new Promise<void>((resolve) => setTimeout(resolve))

async function record(record: MetricsRecord): Promise<void> {
  send({ kind: 'record', record })
  await listen()
  if (!gate.isClosed || record.kind === 'end') return
  send({ kind: 'paused' })
  await gate.pass()
}

globalThis.onmessage = ({ data }: MessageEvent<Command>) => {
  switch (data.kind) {
    case 'start':
      run(data.settings, { stage: (text) => send({ kind: 'stage', text }), record }, stop.signal).catch(
        (error: unknown) =>
          send({ kind: 'failed', text: error instanceof Error ? error.message : String(error) }),
      )
      break
    case 'pause':
      gate.close()
      break
    case 'stop':
      stop.abort()
      gate.open()
      break
    case 'resume':
      gate.open()
  }
}
