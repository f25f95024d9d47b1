import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { LockedError } from '../store.ts'
import { lockFile } from './lock.ts'

let folder = ''
let path = ''
const children: ChildProcess[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tau-lock-'))
  path = join(folder, 'run.lock')
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true })
})

/** A process that sleeps until it is killed. */
async function sleeper(): Promise<ChildProcess & { pid: number }> {
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'])
  children.push(child)
  await once(child.stdout, 'data')
  return child as ChildProcess & { pid: number }
}

const content = async () => JSON.parse(await readFile(path, 'utf8'))

/** A lock as another process leaves it. */
async function leave(change: object): Promise<void> {
  const lock = await lockFile(path)
  const own = await content()
  await lock.release()
  await writeFile(path, JSON.stringify({ ...own, token: 'another', ...change }))
}

describe('a lock file', () => {
  it('says who holds it, and goes with the holder', async () => {
    const lock = await lockFile(path)
    expect(await content()).toMatchObject({ host: hostname(), pid: process.pid })
    await expect(lockFile(path)).rejects.toThrow(
      new RegExp(
        `^lock: ${path} must be free, got process ${process.pid} on .*, since 20..-.*; wait for its release, or remove the file`,
      ),
    )
    await lock.release()
    expect(await readdir(folder)).toEqual([])
  })

  it('of a process that runs is respected', async () => {
    const { pid } = await sleeper()
    await leave({ pid, started: null })
    await expect(lockFile(path)).rejects.toThrow(LockedError)
    expect(await content()).toMatchObject({ pid, token: 'another' })
  })

  it('of a process that has ended is taken over, which is said', async () => {
    const child = await sleeper()
    await leave({ pid: child.pid, started: null })
    child.kill('SIGKILL')
    await once(child, 'exit')
    const lock = await lockFile(path)
    expect(lock.replaced).toMatch(new RegExp(`^process ${child.pid} on .*: that process has ended$`))
    expect(await content()).toMatchObject({ pid: process.pid })
    await expect(lockFile(path)).rejects.toThrow(LockedError)
    await lock.release()
    expect(await readdir(folder)).toEqual([])
  })

  it.runIf(process.platform === 'linux')(
    'of a process whose id is another one’s now is taken over',
    async () => {
      await leave({ started: 'another boot 123' })
      const lock = await lockFile(path)
      expect(lock.replaced).toMatch(/: another process has that id now$/)
      await lock.release()
    },
  )

  it('of another host is respected', async () => {
    await leave({ host: 'elsewhere.example', pid: 2 ** 30 })
    await expect(lockFile(path)).rejects.toThrow(/got process 1073741824 on elsewhere\.example/)
  })

  it('without a holder is respected while it may be being written, and then taken over', async () => {
    for (const text of ['', '{"pid": 1', '{"pid": -1, "host": "x"}', 'null', '[]']) {
      await writeFile(path, text)
      await expect(lockFile(path), text).rejects.toThrow('got a lock without a holder')
      await utimes(path, new Date(), new Date(Date.now() - 60_000))
      const lock = await lockFile(path)
      expect(lock.replaced).toMatch(/names no process, and is older than ten seconds$/)
      await lock.release()
    }
  })

  it('that is being taken over is left to whoever does it', async () => {
    await leave({ started: null, pid: 2 ** 22 + 1 }) // above Linux's largest process id
    await writeFile(`${path}.takeover`, '')
    await expect(lockFile(path)).rejects.toThrow(`or remove ${path}.takeover if it stays`)
    await rm(`${path}.takeover`)
    await (await lockFile(path)).release()
  })

  it('goes to one of many who want it at once, free or stale', async () => {
    for (const isStale of [false, true]) {
      if (isStale) await leave({ started: null, pid: 2 ** 22 + 1 })
      const outcomes = await Promise.allSettled(Array.from({ length: 23 }, () => lockFile(path)))
      const locks = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []))
      expect(locks).toHaveLength(1)
      for (const outcome of outcomes)
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(LockedError)
      await locks[0].release()
      expect(await readdir(folder)).toEqual([])
    }
  })

  it('that was removed by hand and taken by another stays the other’s', async () => {
    const lock = await lockFile(path)
    await rm(path)
    const other = await lockFile(path)
    await lock.release()
    await expect(lockFile(path)).rejects.toThrow(LockedError)
    await other.release()
  })
})
