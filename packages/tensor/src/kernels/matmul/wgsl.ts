import type { Handle } from '../../backends/engine.ts'
import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { linearGroups, MAX_GROUPS } from '../../backends/gpu/wgsl.ts'
import { wgslForms } from '../../backends/gpu/wgsl-forms.ts'
import type { Epilogue } from './epilogue.ts'
import { matmulGpu } from './gpu.ts'
import type { Layout } from './layout.ts'
import type { MatmulKernel, MatmulSizes } from './matmul.ts'
import { PART_THREADS, sumOfParts } from './wgsl-parts.ts'
import { LARGE, type MatmulPlan, matmulPlan, SMALL } from './wgsl-plan.ts'
import { DEPTH, type Finish, tiledMatmul } from './wgsl-tile.ts'

/** With fewer rows or columns than this, one thread per element is as fast. */
const THIN = 8
/** Whether rows of this many elements can be read four at a time. */
const isWide = (row: number, stride = 0): boolean => row % 4 === 0 && stride % 4 === 0

const isWideA = (layout: Layout, { m, k, strideA }: MatmulSizes) => isWide(layout === 'tn' ? m : k, strideA)
const isWideB = (layout: Layout, { n, k, strideB }: MatmulSizes) => isWide(layout === 'nt' ? k : n, strideB)

const tileLaunches = (engine: GpuEngine) =>
  wgslForms(
    engine,
    (
      layout: Layout,
      large: boolean,
      wideA: boolean,
      wideB: boolean,
      wideOut: boolean,
      ...finish: FinishForm
    ) => tiledMatmul({ layout, tile: large ? LARGE : SMALL, wideA, wideB, wideOut, ...finishOf(...finish) }),
  )

/** A {@link Finish} as parameters of a kernel variant. */
type FinishForm = [accumulate: boolean, epilogue: Epilogue['kind'] | 'none']

const finishOf = (accumulate: boolean, epilogue: FinishForm[1]): Finish => ({
  accumulate,
  epilogue: epilogue === 'none' ? undefined : epilogue,
})

const residualOf = (epilogue: Epilogue | undefined): Handle[] =>
  epilogue?.kind === 'add' ? [epilogue.residual] : []

/** Matrix products in tiles. Thin products use the portable kernel. */
export function matmulWgsl(engine: GpuEngine): MatmulKernel {
  const thin = matmulGpu(engine)
  const tiled = tileLaunches(engine)
  const sumParts = wgslForms(engine, (...finish: FinishForm) => sumOfParts(finishOf(...finish)))
  const multiply = ({ tile, parts }: MatmulPlan, ...[layout, a, b, out, sizes]: Parameters<MatmulKernel>) => {
    const { batch, m, n, k, strideA, strideB, accumulate = false, epilogue } = sizes
    const wide = [isWideA(layout, sizes), isWideB(layout, sizes), isWide(n)] as const
    const launch = tiled(layout, tile === LARGE, ...wide, accumulate, epilogue?.kind ?? 'none')
    const [across, down] = [n, m].map((side) => Math.ceil(side / tile.size))
    const each = DEPTH * Math.ceil(k / parts / DEPTH)
    const atOnce = Math.floor(MAX_GROUPS / parts)
    for (let first = 0; first < batch; first += atOnce)
      launch(
        [a, b, ...residualOf(epilogue), out],
        [m, n, k, strideA, strideB, batch, first, parts, each],
        [across, down, parts * Math.min(atOnce, batch - first)],
      )
  }
  return (layout, a, b, out, sizes) => {
    const { batch, m, n, accumulate = false, epilogue, ...rest } = sizes
    if (Math.min(m, n) < THIN) {
      thin(layout, a, b, out, sizes)
      return
    }
    const plan = matmulPlan(sizes, engine.isSoftware)
    if (plan.parts === 1) {
      multiply(plan, layout, a, b, out, sizes)
      return
    }
    const length = batch * m * n
    using products = engine.scratch(plan.parts * length)
    multiply(plan, layout, a, b, products.handle, { batch, m, n, ...rest })
    sumParts(accumulate, epilogue?.kind ?? 'none')(
      [products.handle, ...residualOf(epilogue), out],
      [length, plan.parts],
      linearGroups(length, PART_THREADS),
    )
  }
}
