import { writeConstants } from './constants'

/** Scratch memory of the thread that runs this instance: 4 MiB, set once when the module is loaded. The stub
 *  runtime has no allocator, and all instances share one memory. So kernels keep temporary data here and
 *  nowhere else. */
let base: usize = 0

export function setWorkspace(address: usize): void {
  base = address
  writeConstants()
}

// @ts-ignore: decorator
@inline
export function workspace(): usize {
  return base
}
