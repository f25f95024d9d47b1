import type { Library } from './koffi.ts'

/** The value of openblas_get_parallel for a library that was built without threads. */
const SEQUENTIAL = 0

/** Sets the library, for the whole process, to do each call on the thread that makes it. We assume that a
 *  library without a known switch has no threads, like the reference BLAS. Throws if several threads must not
 *  call the library at the same time. */
export function singleThreaded(library: Library, threads: number): void {
  // Accelerate reads it at its first call. It has no effect on any other library.
  if (process.platform === 'darwin') process.env.VECLIB_MAXIMUM_THREADS ??= '1'
  const setThreads = symbol(library, 'void openblas_set_num_threads(int threads)')
  if (!setThreads) return
  const config = String(symbol(library, 'const char *openblas_get_config()')?.())
  if (config.includes('USE64BITINT'))
    throw new Error('openBlas: sizes must have 32 bits, got a build with 64-bit integers; give another path')
  if (threads > 1 && symbol(library, 'int openblas_get_parallel()')?.() === SEQUENTIAL)
    throw new Error(
      `openBlas: several threads must not call a sequential build, got ${threads} threads and such a build; use the pthread build, or 1 thread`,
    )
  setThreads(1)
}

/** The name of the library, e.g. `openblas-0.3.21-haswell`, because results depend on the version and its
 *  kernels. It is `blas` for a library that does not give its version. */
export function describe(library: Library): string {
  const config = symbol(library, 'const char *openblas_get_config()')?.()
  if (config === undefined) return 'blas'
  const version = /\d[\w.]*/.exec(String(config))?.[0]
  const core = symbol(library, 'const char *openblas_get_corename()')?.()
  return ['openblas', version, core]
    .filter((part) => part !== undefined)
    .join('-')
    .toLowerCase()
}

function symbol(library: Library, prototype: string) {
  try {
    return library.func(prototype)
  } catch {
    return undefined // not every library has it; the caller decides what that means
  }
}
