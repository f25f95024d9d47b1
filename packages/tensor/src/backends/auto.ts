import type { Device, DeviceInfo } from '../device.ts'
import { BackendError, described } from '../errors.ts'
import { type CpuOptions, cpu } from './cpu/cpu.ts'
import { type GpuOptions, gpu, gpuInHardware } from './gpu/gpu.ts'

/** From this many floating-point operations between two reads, a GPU can be faster. With less work, two
 *  threads of the cpu backend finish before a GPU has launched the kernels of a small model's step.
 *  The number is computed, not measured (docs/LOG.md, "From how much work on `auto` takes a GPU"). No run was
 *  timed on both sides of it. */
export const GPU_WORTH_FLOPS = 3e9

export interface AutoOptions {
  /** Floating-point operations between two reads: those of a training step, an evaluated batch, or a
   *  generated token. */
  flops: number
  cpu?: Omit<CpuOptions, 'strict'>
  gpu?: Omit<GpuOptions, 'strict'>
  /** Turns every fallback into an error. Then a missing GPU is an error too, if the work asks for one. */
  strict?: boolean
}

/** Opens the backend that suits the amount of work. It measures nothing.
 *  From {@link GPU_WORTH_FLOPS} on it takes a GPU, through WebGPU or else through WebGL 2. With less work it
 *  takes the cpu backend. If there is no GPU, it also takes the cpu backend, or throws with `strict`.
 *  `info.reason` says which backend and why.
 *  Throws what {@link cpu} throws, and with `strict` what {@link gpu} throws. */
export async function auto(options: AutoOptions): Promise<Device> {
  if (typeof options !== 'object' || options === null)
    throw new BackendError(
      `auto: options must be an object, got ${described(options)}; write auto({ flops }) with the work between two reads`,
    )
  const { flops, strict = false } = options
  if (!(flops >= 0))
    throw new BackendError(
      `auto: flops must be a number of at least 0, got ${flops}; it is the work between two reads, such as 1e9`,
    )
  const cpuOptions = { ...options.cpu, strict }
  const asked = `${count(flops)} operations between reads`
  if (flops < GPU_WORTH_FLOPS)
    return explained(await cpu(cpuOptions), `${asked} are done before a GPU has started`)
  try {
    const { mode, kernels } = options.gpu ?? {}
    const device = await (mode || strict ? gpu({ ...options.gpu, strict: true }) : gpuInHardware(kernels))
    return explained(device, `${asked} are worth a GPU`)
  } catch (cause) {
    if (strict || !(cause instanceof BackendError)) throw cause
    const why = cause.message.replace(/^gpu: /, '')
    return explained(await cpu(cpuOptions), `${asked} are worth a GPU`, `no GPU: ${why}`)
  }
}

const count = (flops: number): string => `${(flops / 1e9).toPrecision(2)} G`

function explained(device: Device, reason: string, ...fallbacks: readonly string[]): Device {
  const info: DeviceInfo = { ...device.info, reason, fallbacks: [...fallbacks, ...device.info.fallbacks] }
  device.describe(info)
  return device
}
