import type { Engine } from '../backends/engine.ts'

/** Loads what a package needs on this engine: its kernels, and on the cpu backend their WebAssembly. */
export type KernelLoader = (engine: Engine) => Promise<void>

/** Every package adds its loaders when it is imported. */
const loaders: KernelLoader[] = []

export function registerKernels(load: KernelLoader): void {
  loaders.push(load)
}

/** Loads the kernels of every package that is imported by now. Modules loaded this way may register more;
 *  those are loaded too. */
export async function loadKernels(engine: Engine): Promise<void> {
  for (let done = 0; done < loaders.length; ) {
    const next = loaders.slice(done)
    done = loaders.length
    await Promise.all(next.map((load) => load(engine)))
  }
}

/** The error of an operation on a device that was opened before the operation's package was imported. */
export const notLoaded = (name: string, backend: string): string =>
  `${name}: its ${backend} kernels must be loaded before an operation runs, got a device that was opened before ${name} was imported; import it first, or call await device.loadKernels()`
