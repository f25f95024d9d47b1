import { BackendError } from '../../../errors.ts'
import type { Wait } from './patiently.ts'

const COMPUTE = 4

export interface Pipeline {
  readonly pipeline: GPUComputePipeline
  readonly layout: GPUBindGroupLayout
}

type StorageType = 'read-only-storage' | 'storage'

/** Pipelines by device and text, kept as long as the device. All engines of a process share them, because a
 *  driver may take seconds to compile one. */
const compiled = new WeakMap<GPUDevice, Map<string, Promise<Pipeline>>>()

/** The pipeline of a WGSL text with the entry point `main`: a uniform block at binding 0, then storage
 *  buffers. It is compiled once per device. Throws BackendError with the compiler's messages. */
export async function pipelineOf(
  device: GPUDevice,
  wait: Wait,
  code: string,
  buffers: readonly StorageType[],
): Promise<Pipeline> {
  const known = compiled.get(device) ?? new Map<string, Promise<Pipeline>>()
  compiled.set(device, known)
  const key = [...buffers, code].join('\n')
  const pipeline = known.get(key) ?? compile(device, wait, code, buffers)
  known.set(key, pipeline)
  try {
    return await pipeline
  } catch (error) {
    known.delete(key)
    throw error
  }
}

async function compile(
  device: GPUDevice,
  wait: Wait,
  code: string,
  buffers: readonly StorageType[],
): Promise<Pipeline> {
  device.pushErrorScope('validation') // otherwise gpu.js prints the error that is thrown below
  const module = device.createShaderModule({ code })
  const [{ messages }] = await wait(Promise.all([module.getCompilationInfo(), device.popErrorScope()]))
  const errors = messages.filter(({ type }) => type === 'error')
  if (errors.length > 0)
    throw new BackendError(
      `its WGSL must compile, got ${errors.map(({ lineNum, linePos, message }) => `${lineNum}:${linePos} ${message}`).join('; ')}`,
      { cause: code },
    )
  // Not 'auto', because that leaves out bindings that the code does not use.
  const layout = device.createBindGroupLayout({
    entries: [
      { binding: 0, visibility: COMPUTE, buffer: { type: 'uniform' } },
      ...buffers.map((type, i) => ({ binding: 1 + i, visibility: COMPUTE, buffer: { type } })),
    ],
  })
  const pipeline = await wait(
    device.createComputePipelineAsync({
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: 'main' },
    }),
  )
  return { pipeline, layout }
}
