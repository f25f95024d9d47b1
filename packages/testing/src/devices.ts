import { afterAll, beforeAll, describe } from 'vitest'

interface Closable {
  close(): Promise<void>
}

/** How to open a device of each backend: pass @tau/tensor's `cpu` and `gpu`. */
export interface Openers<Device extends Closable> {
  cpu(options: { threads: number; simd: 'plain' | 'relaxed' }): Promise<Device>
  gpu(options: { mode: GpuTestMode }): Promise<Device>
}

type GpuTestMode = 'webgpu' | 'webasm' | 'cpu'

/** The modes of the gpu backend that run in Node here; without an adapter, which CI takes for a failure, webgpu is not among
 *  them: see adapter-setup.ts. */
export const gpuModes: readonly GpuTestMode[] = [
  ...(process.env.TAU_ADAPTER ? (['webgpu'] as const) : []),
  'webasm',
  'cpu',
]

export type DeviceName = 'cpu plain 1 thread' | 'cpu relaxed 2 threads' | `gpu.js ${GpuTestMode}`

/** Every backend that the shared suites run on: both WASM builds, one thread and several, and gpu.js with and without a GPU. */
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

/** `describe` once per backend; the suite gets a function that returns the open device inside a test. */
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
