import type { Device } from '@tau/tensor'
import { cpuEngine } from '../kernels/cpu-engine.ts'
import { JsPanels } from '../kernels/js-panels.ts'
import type { PanelSpace } from '../kernels/panel-space.ts'
import { WasmPanels } from '../kernels/wasm-panels.ts'
import { laplacian } from '../laplacian/laplacian.ts'
import { connectedComponents } from '../sparse/components.ts'
import { type Csr, diagonal } from '../sparse/csr.ts'
import type { KernelVectors } from '../spectrum/kernel-vectors.ts'

/** A graph's Laplacian D − W, with everything that is needed to solve equations in it. */
export interface LaplacianProblem extends Disposable {
  readonly laplacian: Csr
  readonly degree: Float64Array
  readonly kernel: KernelVectors
  readonly space: PanelSpace
}

/** Sets up the problem. Throws GraphError as `laplacian` does, and BackendError for a device without f64
 *  kernels. */
export const laplacianProblem = (op: string, adjacency: Csr, device?: Device): LaplacianProblem => {
  const L = laplacian(adjacency)
  const { count, labels } = connectedComponents(adjacency)
  const sizes = new Int32Array(count)
  for (const label of labels) sizes[label]++
  const unit = Float64Array.from(labels, (label) => 1 / Math.sqrt(sizes[label]))
  const space = device ? new WasmPanels(cpuEngine(op, device), L) : new JsPanels(L)
  return {
    laplacian: L,
    degree: diagonal(L),
    kernel: { count, labels, unit },
    space,
    [Symbol.dispose]: () => space[Symbol.dispose](),
  }
}
