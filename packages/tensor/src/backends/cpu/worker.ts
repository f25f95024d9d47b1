import { ARGS_ADDRESS, CONTROL_ADDRESS, ERROR_ADDRESS, ERROR_BYTES, MAX_ARGS, Word } from './layout.ts'

/** How often a worker looks at the ticket before it goes to sleep: about 50 µs. */
const SPINS = 5_000

/** What the worker's program gets. The program itself is sent as text, in a Blob or an eval worker, so no
 *  bundler has to find a worker file. */
export interface WorkerData {
  readonly memory: WebAssembly.Memory
  readonly workspace: number
  readonly layout: typeof workerLayout
}

export const workerLayout = {
  ARGS_ADDRESS,
  CONTROL_ADDRESS,
  ERROR_ADDRESS,
  ERROR_BYTES,
  MAX_ARGS,
  SPINS,
  Word,
} as const

/** The worker's program as JavaScript. `run(data)` takes tiles until it is told to stop, and loads the
 *  modules and programs that jobs name. It may use only its argument and globals. */
export const WORKER_SOURCE = `
function run({ memory, workspace, layout }) {
  const { Word, SPINS } = layout
  const control = new Int32Array(memory.buffer, layout.CONTROL_ADDRESS, 32)
  const args = new Float64Array(memory.buffer, layout.ARGS_ADDRESS, layout.MAX_ARGS)
  const modules = []
  const load = (id) => {
    const bytes = new Uint8Array(memory.buffer, control[Word.moduleBytes] >>> 0, control[Word.moduleLength]).slice()
    // A WebAssembly module begins with a zero, a program in JavaScript does not.
    if (bytes[0] !== 0)
      return (modules[id] = Object.values(new Function('memory', new TextDecoder().decode(bytes))(memory)))
    const module = new WebAssembly.Module(bytes)
    const { exports } = new WebAssembly.Instance(module, { env: { memory, abort() { throw new Error('abort') } } })
    exports.setWorkspace(workspace)
    return (modules[id] = WebAssembly.Module.exports(module).map(({ name }) => exports[name]))
  }
  const fail = (error) => {
    const text = new TextEncoder().encode(String(error && error.message || error)).subarray(0, layout.ERROR_BYTES)
    new Uint8Array(memory.buffer, layout.ERROR_ADDRESS, text.length).set(text)
    Atomics.store(control, Word.error, text.length)
  }
  const runTile = (tile) => {
    try {
      const id = control[Word.module]
      const kernel = (modules[id] || load(id))[control[Word.kernel]]
      const begin = tile * control[Word.grain]
      const end = Math.min(begin + control[Word.grain], control[Word.count])
      kernel(...args.subarray(0, control[Word.argCount]), begin, end)
    } catch (error) {
      fail(error)
    }
    Atomics.add(control, Word.done, 1)
  }
  let spins = 0
  while (Atomics.load(control, Word.stop) === 0) {
    const generation = Atomics.load(control, Word.generation)
    let tile = Atomics.load(control, Word.ticket)
    if (tile > 0) {
      tile = Atomics.sub(control, Word.ticket, 1)
      if (tile > 0) runTile(tile - 1)
      spins = 0
    } else if (++spins > SPINS) {
      Atomics.add(control, Word.sleepers, 1)
      Atomics.wait(control, Word.generation, generation)
      Atomics.sub(control, Word.sleepers, 1)
      spins = 0
    }
  }
}
`
