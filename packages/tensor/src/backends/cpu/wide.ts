import { compileWide } from './compile-wide.ts'
import { hasRelaxedSimd } from './features.ts'
import { PAGE_BYTES, WORKSPACE_ADDRESS, WORKSPACE_BYTES } from './layout.ts'
import { decodeBase64 } from './wasm-module.ts'

/** How many times as fast as the narrow micro-kernel the wide one must be. It is 1.4 times as fast if V8
 *  joins vectors, and 0.7 times if not. */
const MIN_SPEEDUP = 1.1
/** The revectoriser of Node 22 (V8 12) does not change our kernels. Older versions do not know the flag. */
const MIN_V8 = 13
const PROBE_ROUNDS = 25
const PROBE_CALLS = 20

let known: Promise<string | undefined> | undefined

/** Whether `cpu({ simd: 'wide' })` can have 256-bit kernels in this process. The first call finds out, in a
 *  few milliseconds. */
export const hasWideSimd = async (): Promise<boolean> => (await whyNotWide()) === undefined

/** Why this process cannot have wide kernels; undefined if it can. */
export function whyNotWide(): Promise<string | undefined> {
  known ??= findReason()
  return known
}

async function findReason(): Promise<string | undefined> {
  const v8 = typeof process === 'object' ? Number.parseInt(process.versions?.v8 ?? '', 10) : Number.NaN
  if (!(v8 >= MIN_V8) || process.arch !== 'x64') return 'it takes Node 24 or later on an x64 processor'
  if (!hasRelaxedSimd()) return 'this runtime has no relaxed SIMD'
  const [{ wasm: wide }, { wasm: relaxed }] = await Promise.all([
    import('../../generated/wide.ts'),
    import('../../generated/relaxed.ts'),
  ])
  const pages = (WORKSPACE_ADDRESS + 2 * WORKSPACE_BYTES) / PAGE_BYTES
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const load = (module: WebAssembly.Module) => {
    const { exports } = new WebAssembly.Instance(module, { env: { memory, abort() {} } })
    const functions = exports as Record<string, (...args: number[]) => number>
    functions.setWorkspace(WORKSPACE_ADDRESS)
    return functions
  }
  const joined = load(compileWide(decodeBase64(wide)))
  const scratch = WORKSPACE_ADDRESS + WORKSPACE_BYTES
  const { isExact, probeWide, probeNarrow } = joined
  if (!isExact(scratch)) return 'a product came out wrong'
  const other = differing(joined, load(new WebAssembly.Module(decodeBase64(relaxed))), memory, scratch)
  if (other !== undefined) return `${other} came out wrong`
  const best = { wide: Number.POSITIVE_INFINITY, narrow: Number.POSITIVE_INFINITY }
  for (let round = 0; round < PROBE_ROUNDS; round++) {
    best.wide = Math.min(best.wide, milliseconds(probeWide, scratch))
    best.narrow = Math.min(best.narrow, milliseconds(probeNarrow, scratch))
  }
  return best.narrow / best.wide > MIN_SPEEDUP ? undefined : 'this processor or runtime does not join vectors'
}

/** Size of the test matrix for the kernels with exponentials: elements and columns. */
const [TRIED, COLS] = [96, 48]

/** The first kernel besides matmul whose bits differ from those of the relaxed build; undefined if there is
 *  none. */
function differing(
  joined: Record<string, (...args: number[]) => number>,
  narrow: Record<string, (...args: number[]) => number>,
  memory: WebAssembly.Memory,
  scratch: number,
): string | undefined {
  const [x, out, zeros] = [scratch, scratch + 4096, scratch + 8192]
  new Uint8Array(memory.buffer, scratch, 12_288).fill(0)
  new Float32Array(memory.buffer, x, TRIED).forEach((_, i, values) => {
    values[i] = (i % 2 ? 1 : -1) * 1.1 ** (i - 40) // ±0.02 … ±190
  })
  const rows = TRIED / COLS
  const one = [x, out, 0, TRIED]
  const slope = [x, x, x, out, 0, TRIED]
  const calls: Record<string, readonly number[]> = {
    ...{ exp: one, log: one, sigmoid: one, silu: one, softplus: one, tanh: one },
    ...{
      siluGrad: slope,
      softplusGrad: slope,
      softcap: [x, out, 3, 0, TRIED],
      softmax: [x, out, COLS, 0, rows],
    },
    crossEntropyRows: [x, zeros, out, out + 256, COLS, 0, rows],
    logitLoss: [out, zeros, x + 4, out + 4 * TRIED, COLS, 50, 15, 1, 0, rows],
    crossEntropyGrad: [x, zeros, x, x, x, out, COLS, 0, rows],
  }
  const words = new Int32Array(memory.buffer, out, 512)
  const numbers = new Int32Array(memory.buffer, x, TRIED)
  return Object.keys(calls).find((name) => {
    const [found, expected] = [joined, narrow].map((functions) => {
      words.fill(0)
      words.set(numbers) // for kernels that work in place
      functions[name](...calls[name])
      return words.slice()
    })
    return !found.every((word, i) => word === expected[i])
  })
}

function milliseconds(probe: (address: number) => number, address: number): number {
  const start = performance.now()
  for (let i = 0; i < PROBE_CALLS; i++) probe(address)
  return performance.now() - start
}
