import { cpu, type Device } from '@tau/tensor'
import type { GroupContext } from '../registry.ts'

/** Opens one cpu device for each number of threads, prints their fallbacks, runs `f`, and closes the
 *  devices. */
export async function onDevices(
  threads: readonly number[],
  { line }: GroupContext,
  f: (devices: readonly Device[]) => Promise<void>,
): Promise<void> {
  const devices: Device[] = []
  try {
    for (const count of threads) devices.push(await cpu({ threads: count, simd: 'widest' }))
    for (const { info } of devices) for (const fallback of info.fallbacks) line(`fallback: ${fallback}`)
    await inScopes(devices, () => f(devices))
  } finally {
    for (const device of devices) await device.close()
  }
}

/** Runs `f` with a scope open on every device. Tensors that `f` makes are freed afterwards. */
export async function inScopes<T>(devices: readonly Device[], f: () => Promise<T>): Promise<T> {
  const scopes = devices.map((device) => device.scope())
  try {
    return await f()
  } finally {
    for (const scope of scopes) scope[Symbol.dispose]()
  }
}
