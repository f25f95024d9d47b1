import type { GpuEngine } from './engine.ts'
import type { WgslKernel, WgslLaunch } from './wgsl.ts'

/** Launchers of a kernel's variants by their parameters. Each variant is made when it is first asked for, and
 *  compiled at its first run. */
export function wgslForms<Form extends readonly (string | number | boolean)[]>(
  engine: GpuEngine,
  define: (...form: Form) => WgslKernel,
): (...form: Form) => WgslLaunch {
  const launches = new Map<string, WgslLaunch>()
  return (...form) => {
    const key = form.join()
    const launch = launches.get(key) ?? engine.wgsl(define(...form))
    launches.set(key, launch)
    return launch
  }
}
