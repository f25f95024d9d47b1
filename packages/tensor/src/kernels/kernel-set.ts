import type { BackendName, Engine, Engines } from '../backends/engine.ts'
import type { Device } from '../device.ts'
import { BackendError } from '../errors.ts'
import { notLoaded, registerKernels } from './registry.ts'

/** Makes the table of a package's kernels for one engine. `Table` maps names of kernels to functions of
 *  handles. */
export type KernelFactory<Table, B extends BackendName = BackendName> = (engine: Engines[B]) => Table

/** How to load each backend's factory. The imports are dynamic, so a program loads only the backend that it
 *  opens. */
export type KernelFactories<Table> = {
  readonly [B in BackendName]: () => Promise<KernelFactory<Table, B>>
}

/** The kernels of the package `name`. A package with its own kernels writes
 *  ```ts
 *  export const kernelsOf = kernelSet<MyTable>('my-package', {
 *    cpu: async () => (await import('./cpu.ts')).cpuKernels,
 *    gpu: async () => (await import('./gpu.ts')).gpuKernels,
 *  })
 *  ```
 *  and calls `kernelsOf(device).name(…)` in its operations. Opening a device loads the kernels of every
 *  package that is imported by then. If the device was opened before the import, `kernelsOf(device)` throws
 *  BackendError until `await device.loadKernels()`. */
export function kernelSet<Table extends object>(
  name: string,
  factories: KernelFactories<Table>,
): (device: Device) => Table {
  const loaded: { [B in BackendName]?: KernelFactory<Table, B> } = {}
  const tables = new WeakMap<Engine, Table>()
  const make = (engine: Engine): Table | undefined =>
    engine.backend === 'cpu' ? loaded.cpu?.(engine) : loaded.gpu?.(engine)
  registerKernels(async ({ backend }) => {
    if (backend === 'cpu') loaded.cpu ??= await factories.cpu()
    else loaded.gpu ??= await factories.gpu()
  })
  return ({ engine }) => {
    let table = tables.get(engine)
    if (!table) {
      table = make(engine)
      if (!table) throw new BackendError(notLoaded(name, engine.backend))
      tables.set(engine, table)
    }
    return table
  }
}
