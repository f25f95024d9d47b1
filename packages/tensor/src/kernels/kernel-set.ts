import type { Engines } from '../backends/engine.ts'
import type { Device } from '../device.ts'

/** A package's kernels: how to make their table for each backend. `Table` maps kernel names to functions on handles. */
export type KernelFactories<Table> = { readonly [B in keyof Engines]: (engine: Engines[B]) => Table }

/** A table of kernels, made once per device on first use. A package that brings kernels of its own does
 *  `const kernels = kernelSet<MyTable>({ cpu: …, gpu: … })` and calls `kernels(device).name(…)` in its operations. */
export function kernelSet<Table extends object>(
  factories: KernelFactories<Table>,
): (device: Device) => Table {
  const tables = new WeakMap<Device, Table>()
  return (device) => {
    let table = tables.get(device)
    if (!table) {
      const { engine } = device
      table = engine.backend === 'cpu' ? factories.cpu(engine) : factories.gpu(engine)
      tables.set(device, table)
    }
    return table
  }
}
