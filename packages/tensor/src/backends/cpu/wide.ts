import { wide } from '../../generated/wasm.ts'
import { hasRelaxedSimd } from './features.ts'
import { PAGE_BYTES, WORKSPACE_ADDRESS, WORKSPACE_BYTES } from './layout.ts'
import { decodeBase64 } from './wasm-module.ts'

// WebAssembly has vectors of 128 bits. V8 can join pairs of them into AVX2's 256 (its revectoriser), which doubles the speed of
// matmul and changes no bit: lanes stay apart. It is experimental, so that nothing but our own wide module is compiled with it,
// all at once and never again, and what came out is tested before it is used.
const ON = ['--experimental-wasm-revectorize', '--no-liftoff', '--no-wasm-lazy-compilation']
const OFF = ['--no-experimental-wasm-revectorize', '--liftoff', '--wasm-lazy-compilation']

/** Compiles a module with the revectoriser. Worker threads that compile the same bytes get this code: V8 keeps one per process. */
export function compileWide(bytes: BufferSource): WebAssembly.Module {
  const v8 = process.getBuiltinModule('node:v8')
  try {
    for (const flag of ON) v8.setFlagsFromString(flag)
    return new WebAssembly.Module(bytes)
  } finally {
    for (const flag of OFF) v8.setFlagsFromString(flag)
  }
}

/** Where the wide micro-kernel must be above the narrow one, in speed. Joined it is 1.4 times as fast, not joined 0.7 times. */
const MIN_SPEEDUP = 1.1
/** The revectoriser of Node 22 (V8 12) leaves our kernels as they are, and older ones know no such flag. */
const MIN_V8 = 13
const PROBE_ROUNDS = 25
const PROBE_CALLS = 20

let known: { readonly reason: string | undefined } | undefined

/** Whether `cpu({ simd: 'wide' })` can have 256-bit kernels in this process. Found out once, in a few milliseconds. */
export const hasWideSimd = (): boolean => whyNotWide() === undefined

/** Why not. */
export function whyNotWide(): string | undefined {
  known ??= { reason: findReason() }
  return known.reason
}

function findReason(): string | undefined {
  const v8 = typeof process === 'object' ? Number.parseInt(process.versions?.v8 ?? '', 10) : Number.NaN
  if (!(v8 >= MIN_V8) || process.arch !== 'x64') return 'it takes Node 24 or later on an x64 processor'
  if (!hasRelaxedSimd()) return 'this runtime has no relaxed SIMD'
  const pages = (WORKSPACE_ADDRESS + 2 * WORKSPACE_BYTES) / PAGE_BYTES
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })
  const { exports } = new WebAssembly.Instance(compileWide(decodeBase64(wide)), {
    env: { memory, abort() {} },
  })
  const { setWorkspace, isExact, probeWide, probeNarrow } = exports as Record<
    string,
    (address: number) => number
  >
  setWorkspace(WORKSPACE_ADDRESS)
  const scratch = WORKSPACE_ADDRESS + WORKSPACE_BYTES
  if (!isExact(scratch)) return 'a product came out wrong'
  const best = { wide: Number.POSITIVE_INFINITY, narrow: Number.POSITIVE_INFINITY }
  for (let round = 0; round < PROBE_ROUNDS; round++) {
    best.wide = Math.min(best.wide, milliseconds(probeWide, scratch))
    best.narrow = Math.min(best.narrow, milliseconds(probeNarrow, scratch))
  }
  return best.narrow / best.wide > MIN_SPEEDUP ? undefined : 'this processor or runtime does not join vectors'
}

function milliseconds(probe: (address: number) => number, address: number): number {
  const start = performance.now()
  for (let i = 0; i < PROBE_CALLS; i++) probe(address)
  return performance.now() - start
}
