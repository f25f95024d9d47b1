import type { GemmLibrary } from '@tau/tensor'
import { koffiPath, type Library, loadKoffi } from './koffi.ts'
import { describe, singleThreaded } from './library.ts'
import { sgemmSource } from './sgemm.ts'

export interface OpenBlasOptions {
  /** File or name of the library, as the system's loader takes it. It can be any library with `cblas_sgemm`
   *  and 32-bit sizes. Default: Accelerate on macOS, elsewhere OpenBLAS if the loader finds it. */
  path?: string
}

/** The names of a BLAS that the loader tries, in this order. */
const CANDIDATES: Readonly<Partial<Record<NodeJS.Platform, readonly string[]>>> = {
  darwin: [
    '/System/Library/Frameworks/Accelerate.framework/Accelerate',
    '/opt/homebrew/opt/openblas/lib/libopenblas.dylib',
    '/usr/local/opt/openblas/lib/libopenblas.dylib',
  ],
  win32: ['libopenblas.dll', 'openblas.dll'],
}
const UNIX_CANDIDATES = ['libopenblas.so.0', 'libopenblas.so']
const INSTALL = 'install one (Debian: libopenblas0-pthread; macOS has its own) or give its path'

/** Opened libraries, which stay loaded. koffi would unload a library when its handle is garbage-collected. A
 *  library that is loaded again would then have as many threads as there are cores. */
const opened = new Set<Library>()

/** Matrix products by the system's BLAS: `cpu({ gemm: openBlas() })`. The library gets the addresses of the
 *  tensors and works on them without copies.
 *  It is set to one thread in the whole process, and each thread of the device calls it for its own tiles. So
 *  results do not depend on the number of threads.
 *  Nothing is loaded before the device is opened. If koffi, the library or a symbol is missing then,
 *  `device.info.fallbacks` gives the reason; with `strict` it is thrown.
 *  Node only. Throws if the path is empty. */
export function openBlas({ path }: OpenBlasOptions = {}): GemmLibrary {
  if (path === '')
    throw new Error(`openBlas: path must name a library, got ''; leave it out to search for one`)
  return {
    open(threads) {
      const koffi = loadKoffi(koffiPath(import.meta.url))
      const { library, file } = load(koffi.load, path)
      singleThreaded(library, threads)
      opened.add(library)
      return { name: describe(library), source: sgemmSource(koffiPath(import.meta.url), file) }
    },
  }
}

/** The library at the path, or the first candidate that loads and has the product. */
function load(open: (file: string) => Library, path: string | undefined): { library: Library; file: string } {
  const files = path === undefined ? (CANDIDATES[process.platform] ?? UNIX_CANDIDATES) : [path]
  const reasons: string[] = []
  for (const file of files)
    try {
      const library = open(file)
      library.func('void cblas_sgemm()')
      return { library, file }
    } catch (error) {
      reasons.push(`${file}: ${error instanceof Error ? error.message : error}`)
    }
  throw new Error(`openBlas: a BLAS must be found, got ${reasons.join('; ')}; ${INSTALL}`)
}
