import { BackendError } from '../../errors.ts'
import { CONTROL_ADDRESS, WORKSPACE_ADDRESS, WORKSPACE_BYTES, Word } from './layout.ts'
import type { WasmMemory } from './wasm-memory.ts'
import { WORKER_SOURCE, type WorkerData, workerLayout } from './worker.ts'

interface Thread {
  terminate(): Promise<unknown> | unknown
}

const isNode = typeof process === 'object' && process.versions?.node !== undefined

/** The worker threads of one engine. Threads take tiles from a shared counter; any thread may run any
 *  tile. */
export class Pool {
  readonly size: number
  readonly #control: Int32Array
  readonly #threads: readonly Thread[]

  private constructor(memory: WasmMemory, threads: readonly Thread[]) {
    this.size = threads.length + 1
    this.#control = new Int32Array(memory.buffer, CONTROL_ADDRESS, 32)
    this.#threads = threads
  }

  /** Starts `threads − 1` workers; the calling thread is the first. If one does not start, it stops the
   *  others and throws BackendError. */
  static async start(memory: WasmMemory, threads: number): Promise<Pool> {
    const start = isNode ? startNodeThread : startWebThread
    const outcomes = await Promise.allSettled(
      Array.from({ length: threads - 1 }, (_, i) =>
        start({ memory, workspace: WORKSPACE_ADDRESS + (i + 1) * WORKSPACE_BYTES, layout: workerLayout }),
      ),
    )
    const pool = new Pool(
      memory,
      outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : [])),
    )
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (!failed) return pool
    await pool.close()
    const cause: unknown = failed.reason
    throw new BackendError(
      `cpu: ${threads} threads must start, got ${pool.size}: ${cause instanceof Error ? cause.message : cause}; use fewer`,
      { cause },
    )
  }

  /** Starts the job that the control block describes, and returns when every tile is done.
   *  `runTile` runs tiles on this thread. Its first error is thrown after the last tile. Errors of workers,
   *  traps included, are caught and reported in the control block. If the system kills a worker in the middle
   *  of a tile, this call waits forever. */
  run(tiles: number, runTile: (tile: number) => void): void {
    const control = this.#control
    const errors: unknown[] = []
    Atomics.store(control, Word.done, 0)
    Atomics.store(control, Word.ticket, tiles)
    Atomics.add(control, Word.generation, 1)
    if (Atomics.load(control, Word.sleepers) > 0) Atomics.notify(control, Word.generation)
    for (
      let tile = Atomics.sub(control, Word.ticket, 1);
      tile > 0;
      tile = Atomics.sub(control, Word.ticket, 1)
    ) {
      try {
        runTile(tile - 1)
      } catch (error) {
        errors.push(error)
      }
      Atomics.add(control, Word.done, 1)
    }
    while (Atomics.load(control, Word.done) < tiles);
    if (errors.length > 0) throw errors[0]
  }

  async close(): Promise<void> {
    Atomics.store(this.#control, Word.stop, 1)
    Atomics.add(this.#control, Word.generation, 1)
    Atomics.notify(this.#control, Word.generation)
    await Promise.all(this.#threads.map((thread) => thread.terminate()))
  }
}

async function startNodeThread(data: WorkerData): Promise<Thread> {
  const { Worker } = process.getBuiltinModule('node:worker_threads')
  const source = `${WORKER_SOURCE}
    const { parentPort, workerData } = require('node:worker_threads')
    parentPort.postMessage('ready')
    run(workerData)`
  const worker = new Worker(source, { eval: true, workerData: data })
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve())
    worker.once('error', reject)
  })
  worker.removeAllListeners('error') // no code awaits errors after the start, so Node reports them
  worker.unref() // only now, because an unreferenced worker may never send its message
  return worker
}

async function startWebThread(data: WorkerData): Promise<Thread> {
  const source = `${WORKER_SOURCE}
    onmessage = ({ data }) => { postMessage('ready'); run(data) }`
  const url = URL.createObjectURL(new Blob([source], { type: 'text/javascript' }))
  const worker = new Worker(url)
  try {
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = () => resolve()
      worker.onerror = ({ message }) => reject(new Error(message))
      worker.postMessage(data)
    })
  } finally {
    URL.revokeObjectURL(url)
    worker.onerror = null // no code awaits errors after the start, so the page reports them
  }
  return worker
}
