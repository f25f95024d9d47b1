import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RemoteContestant } from '../harness/race.ts'
import type { PeerNote } from '../records/record.ts'
import type { GroupContext } from '../registry.ts'
import type { Program } from './program.ts'

/** Another library in a process of its own. It writes a line of JSON when it is ready, and then one for every
 *  line that it reads. */
export interface Peer extends RemoteContestant {
  /** What a record says of it. */
  readonly note: PeerNote
  close(): Promise<void>
}

/** Why a peer cannot take part. */
export interface Absent {
  readonly absent: string
}

/** Its first message has the versions or `{absent}`. Then it answers every number of repeats with `{ms}`. */
type Message = { readonly version: string; readonly setting: string } | Absent | { readonly ms: number }

/** Starts `bench/peers/<script>` with a program and arguments. Throws when it answers wrongly or ends
 *  early. */
export async function openPeer(
  { command: [command, ...options], environment, told }: Program,
  script: string,
  args: readonly string[],
): Promise<Peer | Absent> {
  const file = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(command, [...options, file, ...args], { env: environment })
  const ask = messages(child, script)
  const ready = await ask()
  if ('absent' in ready) return ready
  if (!('version' in ready))
    throw new Error(`bench: a peer must begin with its version, got ${JSON.stringify(ready)} from ${script}`)
  return {
    label: `${ready.version} ${ready.setting}`,
    note: { version: ready.version, environment: told },
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

/** Takes a peer into a race and writes its version into the record. If the peer is absent, the result is
 *  undefined, and the reason goes into the record under the name of the missing figure. */
export async function joined(
  { peer: note, skip }: Pick<GroupContext, 'peer' | 'skip'>,
  { as, leavesOut }: { readonly as: string; readonly leavesOut: string },
  opening: Promise<Peer | Absent>,
): Promise<Peer | undefined> {
  const peer = await opening
  if ('absent' in peer) {
    skip(leavesOut, peer.absent)
    return undefined
  }
  note(as, peer.note)
  return peer
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
