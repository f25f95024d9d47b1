import type { Handle } from '../../backends/engine.ts'
import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel, GpuLaunch } from '../../backends/gpu/kernel.ts'
import { isNanText } from '../../backends/gpu/text.ts'
import type { ArgmaxKernel } from './argmax.ts'

/** Number of candidates that one thread compares. More candidates need several rounds, which also gives a GPU
 *  enough threads. */
const CHUNK = 64

/** Finds the best of `chunk` candidates. In the first round, candidate k is element k of the axis. In later
 *  rounds, `found` holds the indices of the candidates. */
const kernel = (round: 'First' | 'Next'): GpuKernel => {
  const row = 'this.thread.z'
  const at = (k: string) => (round === 'First' ? k : `found[(${row} * count + ${k}) * inner + this.thread.x]`)
  const value = (index: string) => `sign * x[(${row} * length + ${index}) * inner + this.thread.x]`
  return {
    name: `argmax${round}`,
    args: {
      x: 'buffer',
      ...(round === 'Next' && { found: 'buffer' }),
      length: 'int',
      inner: 'int',
      count: 'int',
      chunk: 'int',
      sign: 'float',
    },
    body: `
      let at = ${at('this.thread.y * chunk')}
      let best = ${value('(at | 0)')}
      for (let k = 1; k < chunk; k++) {
        if (this.thread.y * chunk + (k | 0) < count) {
          const candidate = ${at('(this.thread.y * chunk + (k | 0))')}
          const v = ${value('(candidate | 0)')}
          if (!(${isNanText('best')})) {
            if (v > best || ${isNanText('v')}) {
              best = v
              at = candidate
            }
          }
        }
      }
      return at`,
  }
}

/** Indices are f32 on this backend, so they are exact for axes of up to 2²⁴ elements. */
export function argmaxGpu(engine: GpuEngine): ArgmaxKernel {
  const first = engine.kernel(kernel('First'))
  const next = engine.kernel(kernel('Next'))
  return (x, out, outer, length, inner, smallest) => {
    const sign = smallest ? -1 : 1
    const round = (launch: GpuLaunch, buffers: readonly Handle[], target: Handle, count: number) =>
      launch(
        [...buffers, length, inner, count, CHUNK, sign],
        [inner, Math.ceil(count / CHUNK), outer],
        target,
      )
    const reduce = (launch: GpuLaunch, buffers: readonly Handle[], count: number): void => {
      const parts = Math.ceil(count / CHUNK)
      if (parts === 1) {
        round(launch, buffers, out, count)
        return
      }
      using found = engine.scratch(outer * parts * inner)
      round(launch, buffers, found.handle, count)
      reduce(next, [x, found.handle], parts)
    }
    reduce(first, [x], length)
  }
}
