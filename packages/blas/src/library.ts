import type { Library } from './koffi.ts'

/** What openblas_get_parallel says: how the library was built. */
const SEQUENTIAL = 0

/** Sets the library to do each call on the thread that makes it, for the whole process, as far as it can be told. A library that
 *  has no switch we know is taken to have no threads, as the reference BLAS. Throws when `threads` must not call it at once. */
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
      `openBlas: ${threads} threads call the library, got a sequential build, which they must not; use the pthread build, or 1 thread`,
    )
  setThreads(1)
}

/** `openblas-0.3.21-haswell`: results depend on version and kernels. `blas` for a library that does not say. */
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
    return undefined // not every library has it: the caller knows what that means
  }
}
