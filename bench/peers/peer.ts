import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RemoteContestant } from '../harness/race.ts'

/** Somebody else's program in a process of its own: it says a line of JSON when it is ready, and then one for every line it gets. */
export interface Peer extends RemoteContestant {
  close(): Promise<void>
}

/** Why a peer cannot take part. */
export interface Absent {
  readonly absent: string
}

/** First `{label}` or `{absent}`, then `{ms}` for every number of repeats. */
type Message = { readonly label: string } | Absent | { readonly ms: number }

export const NODE = [process.execPath, '--conditions=source'] as const
export const PYTHON = ['/usr/bin/python3', '-B'] as const

/** Starts `bench/peers/<script>` with a program and arguments. Throws when it answers wrongly or ends early. */
export async function openPeer(
  [program, ...options]: readonly string[],
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Peer | Absent> {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(program, [...options, file, ...args], { env: { ...process.env, ...env } })
  const ask = messages(child, script)
  const ready = await ask()
  if ('absent' in ready) return ready
  if (!('label' in ready))
    throw new Error(`bench: a peer must begin with its label, got ${JSON.stringify(ready)} from ${script}`)
  return {
    label: ready.label,
    async time(repeats) {
      child.stdin.write(`${repeats}\n`)
      const answer = await ask()
      if (!('ms' in answer) || !(answer.ms > 0))
        throw new Error(
          `bench: a peer must answer with milliseconds, got ${JSON.stringify(answer)} from ${script}`,
        )
      return answer.ms
    },
    async close() {
      const closed = new Promise((resolve) => child.once('close', resolve))
      child.stdin.end()
      await closed
    },
  }
}

/** Waits for the next message of a process. */
function messages(child: ChildProcessWithoutNullStreams, script: string): () => Promise<Message> {
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const missing = new Promise<Message>((resolve) =>
    child.once('error', ({ message }) => resolve({ absent: message })),
  )
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  const next = async (): Promise<Message> => {
    const { done, value } = await lines.next()
    if (done) throw new Error(`bench: a peer must not end by itself, ${script} did: ${errors.trim()}`)
    return JSON.parse(value) as Message
  }
  return () => Promise.race([missing, next()])
}
