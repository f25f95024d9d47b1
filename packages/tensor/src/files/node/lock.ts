import { LockedError, type StoreLock } from '../store.ts'
import { writeFilesAtomic } from './atomic.ts'
import { codeOf } from './system-error.ts'

/** The holder of a lock, as its file names it in JSON. */
interface Holder {
  readonly host: string
  readonly pid: number
  /** When the process started; null if the system does not tell. It is needed because systems reuse process
   *  ids. */
  readonly started: string | null
  /** ISO 8601 */
  readonly since: string
  /** A unique id of this lock. */
  readonly token: string
}

/** Age at which a lock file without a holder may be taken over. Until then a process may still be writing it;
 *  after that it was killed before it could. */
const WRITING_MS = 10_000

/** Takes the lock whose file is `path`. It creates the file exclusively and writes the host, the process id
 *  and the start time of the process into it.
 *  A file of this host is taken over if its process has ended or its id belongs to another process now. A
 *  file of another host is never taken over, because this host cannot know whether that process runs. */
export async function lockFile(path: string): Promise<StoreLock> {
  const own = await describeSelf()
  if (await create(path, own)) return held(path, own, undefined)
  const other = await read(path)
  // The lock was released between the two calls.
  if (other === undefined) return (await create(path, own)) ? held(path, own, undefined) : refuse(path, '')
  const gone = await whyGone(path, other)
  if (gone === undefined) return refuse(path, textOf(other))
  await takeOver(path, own, other)
  return held(path, own, `${textOf(other)}: ${gone}`)
}

const textOf = ({ holder }: Found): string =>
  holder === undefined
    ? 'a lock without a holder'
    : `process ${holder.pid} on ${holder.host}, since ${holder.since}`

function refuse(path: string, who: string): never {
  throw new LockedError(
    `lock: ${path} must be free, got ${who || 'another process that takes it now'}; wait for its release, or remove the file if that process no longer runs`,
  )
}

function held(path: string, own: Holder, replaced: string | undefined): StoreLock {
  let isHeld = true
  return {
    replaced,
    async release() {
      if (!isHeld) return
      isHeld = false
      const { rm } = process.getBuiltinModule('node:fs/promises')
      // If somebody removed our file by hand, another process may hold the lock now.
      if ((await read(path))?.holder?.token === own.token) await rm(path, { force: true })
    },
  }
}

async function create(path: string, own: Holder): Promise<boolean> {
  const { writeFile } = process.getBuiltinModule('node:fs/promises')
  return writeFile(path, JSON.stringify(own), { flag: 'wx' }).then(
    () => true,
    (error) => {
      if (codeOf(error) === 'EEXIST') return false
      throw error
    },
  )
}

interface Found {
  readonly holder: Holder | undefined
  readonly ageMs: number
}

/** The content of a lock file; undefined if there is none. */
async function read(path: string): Promise<Found | undefined> {
  const { readFile, stat } = process.getBuiltinModule('node:fs/promises')
  try {
    const { mtimeMs } = await stat(path)
    return { holder: parse(await readFile(path, 'utf8')), ageMs: Date.now() - mtimeMs }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function parse(text: string): Holder | undefined {
  try {
    const value: Partial<Record<keyof Holder, unknown>> | null = JSON.parse(text)
    const { host, pid, started = null, since, token } = value ?? {}
    const isHolder =
      typeof host === 'string' &&
      typeof pid === 'number' &&
      Number.isSafeInteger(pid) &&
      pid > 0 &&
      (started === null || typeof started === 'string') &&
      typeof since === 'string' &&
      typeof token === 'string'
    return isHolder ? { host, pid, started, since, token } : undefined
  } catch {
    return undefined
  }
}

/** Why the holder of a lock can no longer release it; undefined if it may still do so. */
async function whyGone(path: string, { holder, ageMs }: Found): Promise<string | undefined> {
  const { hostname } = process.getBuiltinModule('node:os')
  if (holder === undefined)
    return ageMs > WRITING_MS ? `${path} names no process, and is older than ten seconds` : undefined
  if (holder.host !== hostname()) return undefined
  if (!isRunning(holder.pid)) return 'that process has ended'
  const started = await startOf(holder.pid)
  if (started !== null && holder.started !== null && started !== holder.started)
    return 'another process has that id now'
  return undefined
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0) // signal 0 only checks
  } catch (error) {
    return codeOf(error) !== 'ESRCH' // another user's process cannot be signalled, but it exists
  }
}

/** The boot and the clock tick at which a process started, from Linux's /proc; null if the system has no
 *  /proc. */
async function startOf(pid: number): Promise<string | null> {
  const { readFile } = process.getBuiltinModule('node:fs/promises')
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    // The process name in parentheses may contain anything. starttime is the 20th field after it: proc(5).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return `${boot.trim()} ${fields[19]}`
  } catch {
    return null
  }
}

async function describeSelf(): Promise<Holder> {
  const { hostname } = process.getBuiltinModule('node:os')
  return {
    host: hostname(),
    pid: process.pid,
    started: await startOf(process.pid),
    since: new Date().toISOString(),
    token: globalThis.crypto.randomUUID(),
  }
}

/** Replaces a lock whose holder is gone by ours. If several processes try, only one can create the guard
 *  file. Under the guard it reads the lock again: if another process has taken it over meanwhile, it
 *  stays. */
async function takeOver(path: string, own: Holder, gone: Found): Promise<void> {
  const { rm } = process.getBuiltinModule('node:fs/promises')
  const guard = `${path}.takeover`
  if (!(await create(guard, own)))
    throw new LockedError(
      `lock: ${path} must be free, got ${textOf(gone)}, which another process takes over now; try again, or remove ${guard} if it stays`,
    )
  try {
    const now = await read(path)
    if (now !== undefined && now.holder?.token !== gone.holder?.token) refuse(path, textOf(now))
    await writeFilesAtomic([{ path, content: JSON.stringify(own) }])
  } finally {
    await rm(guard, { force: true })
  }
}
