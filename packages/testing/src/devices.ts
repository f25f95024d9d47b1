import { afterAll, beforeAll, describe } from 'vitest'

interface Closable {
  close(): Promise<void>
}

/** Functions that open a device of each backend: `cpu` and `gpu` of @tau/tensor. */
export interface Openers<Device extends Closable> {
  cpu(options: { threads: number; simd: 'plain' | 'relaxed' }): Promise<Device>
  gpu(options: { mode: GpuTestMode }): Promise<Device>
}

type GpuTestMode = 'webgpu' | 'webasm' | 'cpu'

/** The modes of the gpu backend that run in Node here. 'webgpu' needs an adapter, and CI fails without one:
 *  see adapter-setup.ts. */
export const gpuModes: readonly GpuTestMode[] = [
  ...(process.env.TAU_ADAPTER ? (['webgpu'] as const) : []),
  'webasm',
  'cpu',
]

export type DeviceName = 'cpu plain 1 thread' | 'cpu relaxed 2 threads' | `gpu.js ${GpuTestMode}`

/** Every backend that the shared suites run on: both WASM builds, one and several threads, and gpu.js with
 *  and without a GPU. */
export const deviceNames: readonly DeviceName[] = [
  'cpu plain 1 thread',
  'cpu relaxed 2 threads',
  ...gpuModes.map((mode) => `gpu.js ${mode}` as const),
]

function open<Device extends Closable>(name: DeviceName, { cpu, gpu }: Openers<Device>): Promise<Device> {
  switch (name) {
    case 'cpu plain 1 thread':
      return cpu({ threads: 1, simd: 'plain' })
    case 'cpu relaxed 2 threads':
      return cpu({ threads: 2, simd: 'relaxed' })
    case 'gpu.js cpu':
      return gpu({ mode: 'cpu' })
    case 'gpu.js webasm':
      return gpu({ mode: 'webasm' })
    case 'gpu.js webgpu':
      return gpu({ mode: 'webgpu' })
  }
}

/** Calls `describe` once per backend. The suite gets a function that returns the open device inside a
 *  test. */
export function describeDevices<Device extends Closable>(
  title: string,
  openers: Openers<Device>,
  suite: (device: () => Device, name: DeviceName) => void,
  names: readonly DeviceName[] = deviceNames,
): void {
  describe.each(names)(`${title} on %s`, (name) => {
    let device: Device
    beforeAll(async () => {
      device = await open(name, openers)
    })
    afterAll(() => device.close())
    suite(() => device, name)
  })
}
