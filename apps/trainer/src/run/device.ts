import { openBlas } from '@tau/blas'
import { cpu, type Device, type DeviceInfo, gpu, hasWideSimd } from '@tau/tensor'
import type { Config } from '../config/schema.ts'

/** Opens the device that the configuration asks for. */
export function openDevice({
  backend,
  mode,
  threads,
  simd,
  blas,
  strict,
}: Config['device']): Promise<Device> {
  if (backend === 'gpu') return gpu({ ...(mode && { mode }), strict })
  // A library leaves V8's experiments to whoever owns the process. Here it is ours.
  const build = simd === 'auto' && hasWideSimd() ? 'wide' : simd
  const gemm = blas === null ? undefined : openBlas(blas === 'auto' ? {} : { path: blas })
  return cpu({ ...(threads && { threads }), simd: build, ...(gemm && { gemm }), strict })
}

/** `cpu, relaxed-simd, 2 threads`, and every fallback on a line of its own. */
export function deviceText({ backend, variant, threads, fallbacks }: DeviceInfo): string {
  const head = `${backend}, ${variant}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
  return [head, ...fallbacks.map((fallback) => `fallback: ${fallback}`)].join('\n')
}
