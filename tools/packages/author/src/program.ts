import { cpu, type Device, gpu, grad, sum } from '@tau/tensor'

/** The cubes of −3, −2, … 5 and their gradients. The device is closed afterwards. */
async function cubes(device: Device): Promise<string> {
  const { cube } = await import('./cube.js')
  // This package was imported after the first device was opened.
  await device.loadKernels()
  const x = device.tensor([-3, -2, -1, 0, 1, 2, 3, 4, 5])
  const { grads } = grad(() => sum(cube(x)), [x])
  const values = [await cube(x).data(), await grads[0].data()].map((numbers) => Array.from(numbers).join())
  await device.close()
  return values.join(' ')
}

for (const open of [
  () => cpu({ threads: 1, simd: 'plain' }),
  () => cpu({ threads: 2 }),
  () => gpu({ mode: 'cpu' }),
])
  console.log(await cubes(await open()))
