/** What starts a peer's process. */
export interface Program {
  readonly command: readonly string[]
  /** All of its environment. */
  readonly environment: NodeJS.ProcessEnv
  /** The variables that a record tells, because they change how fast the peer is. */
  readonly told: Readonly<Record<string, string>>
}

export const NODE: Program = {
  command: [process.execPath, '--conditions=source'],
  environment: process.env,
  told: {},
}

/** By default glibc's malloc maps every large array anew, and the kernel clears its pages one fault at a
 *  time. On virtual machines that costs PyTorch and numpy more than their arithmetic. With these settings
 *  malloc keeps the memory and hands it out again. */
const KEEP_MEMORY = {
  MALLOC_MMAP_THRESHOLD_: '4000000000',
  MALLOC_TRIM_THRESHOLD_: '4000000000',
  MALLOC_TOP_PAD_: '200000000',
} as const

/** Settings of OpenBLAS that serve @tau/blas. A peer's own library chooses for itself. */
const LEFT_OUT = ['OPENBLAS_CORETYPE', 'OPENBLAS_L2_SIZE']

/** Python with the settings of malloc that are `told`. */
export function pythonProgram(
  environment: NodeJS.ProcessEnv,
  told: Readonly<Record<string, string>>,
): Program {
  const kept = Object.entries(environment).filter(
    ([name]) => !LEFT_OUT.includes(name) && !Object.hasOwn(KEEP_MEMORY, name),
  )
  return {
    command: ['/usr/bin/python3', '-B'],
    environment: { ...Object.fromEntries(kept), ...told },
    told,
  }
}

/** Python for figures of speed. */
export const PYTHON = pythonProgram(process.env, KEEP_MEMORY)

/** Python for figures of memory, with malloc's default settings, which take less of it. */
export const PYTHON_LEAN = pythonProgram(process.env, {})
