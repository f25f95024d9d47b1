import { afterAll, beforeAll, describe } from 'vitest'

interface Closable {
  close(): Promise<void>
}

/** How to open a device of each backend: pass @tau/tensor's `cpu` and `gpu`. */
export interface Openers<Device extends Closable> {
  cpu(options: { threads: number; simd: 'plain' | 'relaxed' }): Promise<Device>
  gpu(options: { mode: 'cpu' | 'webasm' }): Promise<Device>
}

/** Every backend that the shared suites run on: both WASM builds, one thread and several, and gpu.js without a GPU. */
export const deviceNames = [
  'cpu plain 1 thread',
  'cpu relaxed 2 threads',
  'gpu.js cpu',
  'gpu.js webasm',
] as const
export type DeviceName = (typeof deviceNames)[number]

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
