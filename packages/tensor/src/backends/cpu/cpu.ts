import { Device } from '../../device.ts'
import { BackendError } from '../../errors.ts'
import { CpuEngine } from './engine.ts'
import { canShareMemory, hardwareThreads, hasRelaxedSimd } from './features.ts'
import { checkGemm, type GemmLibrary, type GemmProgram } from './gemm.ts'
import { heapStart, MAX_CPU_BYTES, PAGE_BYTES } from './layout.ts'
import { Pool } from './pool.ts'
import { BUILD_NAMES, type WasmBuild } from './wasm-module.ts'
import { whyNotWide } from './wide.ts'

export interface CpuOptions {
  /** Number of threads that compute, the calling thread included: 1 to 256. Default: all threads of the
   *  machine. Results do not depend on it. */
  threads?: number
  /** Which build of the kernels runs. Default `auto`.
   *  - `plain` never uses fused multiply-add.
   *  - `relaxed` uses it if the runtime has it.
   *  - `auto` is `relaxed` if that can be had, else `plain`.
   *  - `wide` is `relaxed` with vectors of 256 bits, which makes matmul twice as fast. It needs Node 24 on
   *    x64 and an experimental feature of V8. The feature is on only while that one module compiles, and the
   *    result is tested before it is used.
   *  - `widest` is `wide` if V8 can do it, else `auto`. It is for programs that own their process. A library
   *    should leave V8's experimental features to its user.
   *  Results of `relaxed` and `wide` have the same bits. They differ from `plain` by rounding. */
  simd?: (typeof SIMD)[number]
  /** A library for matrix products that are not thin: `openBlas()` of @tau/blas. If it is missing or computes
   *  wrong numbers, our own kernels are used instead.
   *  Results do not depend on the number of threads. They differ from ours by rounding, and they may differ
   *  between libraries and processors. */
  gemm?: GemmLibrary
  /** Turns every fallback (one thread, plain SIMD, no library) into an error. */
  strict?: boolean
}

const MAX_THREADS = 256
const SIMD = ['auto', 'plain', 'relaxed', 'wide', 'widest'] as const

// A browser may refuse to reserve 4 GiB of addresses. Then less is tried.
const MAXIMUM_PAGES = [65_536, 32_768, 16_384]

/** A memory that holds the workspaces of `threads` threads and can grow. */
function makeMemory(threads: number): { memory: WebAssembly.Memory; maximum: number } {
  const initial = heapStart(threads) / PAGE_BYTES
  for (const maximum of MAXIMUM_PAGES)
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum, shared: true }), maximum }
    } catch {
      // try the next smaller size; if all fail, the error below says so
    }
  throw new BackendError(
    `cpu: the runtime must provide a WebAssembly memory of ${heapStart(threads)} bytes that grows to 1 GiB, got none; use fewer threads or close other pages`,
  )
}

/** Opens the cpu backend: AssemblyScript kernels in WASM SIMD, over one shared memory and worker threads.
 *  It falls back to one thread if memory cannot be shared, to plain SIMD if relaxed SIMD is missing, and to
 *  its own products if `gemm` fails. `device.info` lists each fallback.
 *  Throws BackendError if WebAssembly memory or a thread cannot be had, and with `strict` for any
 *  fallback. */
export async function cpu(options: CpuOptions = {}): Promise<Device> {
  const {
    threads: wanted = Math.min(MAX_THREADS, hardwareThreads()),
    simd = 'auto',
    gemm,
    strict = false,
  } = options
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_THREADS)
    throw new BackendError(`cpu: threads must be a whole number from 1 to ${MAX_THREADS}, got ${wanted}`)
  if (!SIMD.includes(simd)) throw new BackendError(`cpu: simd must be one of ${SIMD.join(', ')}, got ${simd}`)
  const fallbacks: string[] = []
  const threads = wanted === 1 || canShareMemory() ? wanted : 1
  if (threads < wanted)
    fallbacks.push(
      `1 thread instead of ${wanted}: the page is not cross-origin isolated, so memory cannot be shared`,
    )
  const build = await chooseBuild(simd, fallbacks)
  const { memory, maximum } = makeMemory(threads)
  const program = gemm && openGemm(gemm, threads, memory, fallbacks)
  if (strict && fallbacks.length > 0)
    throw new BackendError(`cpu: strict allows no fallback, got ${fallbacks.join('; ')}`)

  const variant = program ? `${BUILD_NAMES[build]}+${program.name}` : BUILD_NAMES[build]
  const info = { backend: 'cpu', variant, threads, fallbacks } as const
  const pool = threads > 1 ? await Pool.start(memory, threads) : undefined
  const limit = Math.min(maximum * PAGE_BYTES, MAX_CPU_BYTES)
  return Device.open(new CpuEngine(memory, limit, pool, build, info, program))
}

/** The opened and tested library. If it cannot be used: undefined, and the reason is added to the
 *  fallbacks. */
function openGemm(
  library: GemmLibrary,
  threads: number,
  memory: WebAssembly.Memory,
  fallbacks: string[],
): GemmProgram | undefined {
  try {
    const program = library.open(threads)
    checkGemm(program, memory)
    return program
  } catch (error) {
    fallbacks.push(`products in WebAssembly: ${error instanceof Error ? error.message : error}`)
    return undefined
  }
}

async function chooseBuild(simd: CpuOptions['simd'], fallbacks: string[]): Promise<WasmBuild> {
  if (simd === 'plain') return 'plain'
  if (!hasRelaxedSimd()) {
    fallbacks.push('plain SIMD: this runtime has no relaxed SIMD')
    return 'plain'
  }
  if (simd !== 'wide' && simd !== 'widest') return 'relaxed'
  const reason = await whyNotWide()
  if (reason === undefined) return 'wide'
  if (simd === 'wide') fallbacks.push(`relaxed SIMD instead of wide: ${reason}`)
  return 'relaxed'
}
