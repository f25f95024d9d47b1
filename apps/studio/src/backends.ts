import type { Backend } from './messages.ts'

/** The backends that this browser lacks, each with the reason. */
export async function absentBackends(): Promise<ReadonlyMap<Backend, string>> {
  const absent = new Map<Backend, string>()
  const webgpu = await whyNotWebGpu()
  if (webgpu !== undefined) absent.set('webgpu', webgpu)
  const webgl = whyNotWebGl()
  if (webgl !== undefined) absent.set('webgl2', webgl)
  return absent
}

async function whyNotWebGpu(): Promise<string | undefined> {
  if (!('gpu' in navigator) || !navigator.gpu) return 'WebGPU: this browser does not have it'
  const adapter = await navigator.gpu.requestAdapter().catch(() => null)
  return adapter ? undefined : 'WebGPU: this browser has it, but no adapter that it works on'
}

function whyNotWebGl(): string | undefined {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2')
  if (!gl) return 'WebGL 2: this browser does not have it'
  const hasFloats = gl.getExtension('EXT_color_buffer_float') !== null
  gl.getExtension('WEBGL_lose_context')?.loseContext()
  return hasFloats ? undefined : 'WebGL 2: it must render to float textures (EXT_color_buffer_float)'
}
