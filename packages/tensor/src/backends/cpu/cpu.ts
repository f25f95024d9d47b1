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
  /** Threads that take tiles, this one included; 1 to 256. Default: all the machine has.
   *  Results do not depend on it. */
  threads?: number
  /** `relaxed` uses fused multiply-add where the runtime has it, `plain` never; default `auto`, which is relaxed where it can be.
   *  `wide` is relaxed with 256-bit registers in matmul, twice as fast: for Node on x64, by a feature of V8 that is experimental and
   *  is switched on for that one module while it compiles; what came out is tested before it is used. `widest` is wide where V8 can,
   *  else as auto: for who owns the process, since a library leaves V8's experiments to its user. Results are the same bits
   *  for relaxed and wide, and differ from plain by rounding. */
  simd?: (typeof SIMD)[number]
  /** Does the products of matrices that are not thin: `openBlas()` of @tau/blas. Where it is missing or wrong, our own kernels do.
   *  Results do not depend on the number of threads; they differ from ours by rounding, and from one library or processor to the
   *  next. */
  gemm?: GemmLibrary
  /** Turn every fallback (one thread, plain SIMD, no library) into an error. */
  strict?: boolean
}

const MAX_THREADS = 256
const SIMD = ['auto', 'plain', 'relaxed', 'wide', 'widest'] as const

// Browsers may refuse to reserve 4 GiB of addresses: try less.
const MAXIMUM_PAGES = [65_536, 32_768, 16_384]

/** Memory that holds the workspaces of `threads` and can grow. */
function makeMemory(threads: number): { memory: WebAssembly.Memory; maximum: number } {
  const initial = heapStart(threads) / PAGE_BYTES
  for (const maximum of MAXIMUM_PAGES)
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum, shared: true }), maximum }
    } catch {
      // the next smaller size; failure of all is reported below
    }
  throw new BackendError(
    `cpu: the runtime must provide a WebAssembly memory of ${heapStart(threads)} bytes that grows to 1 GiB, got none; use fewer threads or close other pages`,
  )
}

/** Opens the embedded backend: AssemblyScript kernels in WASM SIMD over one shared memory and worker threads.
 *  Falls back to one thread where memory cannot be shared and to plain SIMD where relaxed SIMD is missing, and
 *  to its own products where `gemm` cannot be had; `device.info` says so. Throws BackendError with `strict`, or when WebAssembly memory or a thread cannot be had. */
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

/** The library, tried out; undefined, with the reason among the fallbacks, where it cannot be used. */
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
