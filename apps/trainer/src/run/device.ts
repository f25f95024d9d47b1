import { openBlas } from '@tau/blas'
import { auto, cpu, type Device, type DeviceInfo, gpu } from '@tau/tensor'
import type { Config } from '../config/schema.ts'

/** Opens the device of the configuration. `flops` is the number of operations between two reads. `auto`
 *  decides by it. */
export async function openDevice(
  { backend, mode, threads, simd, blas, strict }: Config['device'],
  flops: number,
): Promise<Device> {
  const gpuOptions = mode ? { mode } : {}
  if (backend === 'gpu') return gpu({ ...gpuOptions, strict })
  const gemm = blas === null ? undefined : openBlas(blas === 'auto' ? {} : { path: blas })
  const cpuOptions = { ...(threads && { threads }), simd, ...(gemm && { gemm }) }
  return backend === 'cpu'
    ? cpu({ ...cpuOptions, strict })
    : auto({ flops, cpu: cpuOptions, gpu: gpuOptions, strict })
}

/** The devices of a command: the first, and each one that was opened after a loss. */
export class Devices {
  readonly #config: Config['device']
  readonly #flops: number
  readonly #opened: Device[] = []

  constructor(config: Config['device'], flops: number) {
    this.#config = config
    this.#flops = flops
  }

  async open(): Promise<Device> {
    const device = await openDevice(this.#config, this.#flops)
    this.#opened.push(device)
    return device
  }

  async close(): Promise<void> {
    for (const device of this.#opened) await device.close()
  }
}

/** Describes a device, such as `cpu, relaxed-simd, 2 threads`. The reason of the choice and every fallback
 *  follow on their own lines. */
export function deviceText({ backend, variant, threads, adapter, reason, fallbacks }: DeviceInfo): string {
  const place = adapter ?? `${threads} ${threads === 1 ? 'thread' : 'threads'}`
  return [
    `${backend}, ${variant}, ${place}`,
    ...(reason === undefined ? [] : [`chosen because ${reason}`]),
    ...fallbacks.map((fallback) => `fallback: ${fallback}`),
  ].join('\n')
}
