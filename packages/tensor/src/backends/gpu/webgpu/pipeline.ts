import { BackendError } from '../../../errors.ts'

const COMPUTE = 4

export interface Pipeline {
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
}

/** Compiles WGSL with the entry point `main`, a uniform block at binding 0 and storage buffers after it. Throws BackendError with the
 *  compiler's messages. */
export async function buildPipeline(
  device: GPUDevice,
  code: string,
  buffers: readonly ('read-only-storage' | 'storage')[],
): Promise<Pipeline> {
  device.pushErrorScope('validation') // else gpu.js prints what is thrown below
  const module = device.createShaderModule({ code })
  const [{ messages }] = await Promise.all([module.getCompilationInfo(), device.popErrorScope()])
  const errors = messages.filter(({ type }) => type === 'error')
  if (errors.length > 0)
    throw new BackendError(
      `its WGSL must compile, got ${errors.map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`).join('; ')}`,
      { cause: code },
    )
  // Not 'auto': that leaves out a binding which the code does not use.
  const layout = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: COMPUTE, buffer: { type: 'uniform' } },
      ...buffers.map((type, i) => ({ binding: 1 + i, visibility: COMPUTE, buffer: { type } })),
    ],
  })
  const pipeline = await device.createComputePipelineAsync({
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module, entryPoint: 'main' },
  })
  return { pipeline, layout }
}
