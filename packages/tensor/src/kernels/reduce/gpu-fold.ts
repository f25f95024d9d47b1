import type { Handle } from '../../backends/engine.ts'
import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuArgument, GpuKernel } from '../../backends/gpu/kernel.ts'
import { isNanText } from '../../backends/gpu/text.ts'
import type { ReduceOp } from './reduce.ts'

/** Number of elements that one thread folds. More elements need several rounds, which also gives a GPU enough
 *  threads. */
const CHUNK = 64

export interface FoldDefinition {
  readonly name: string
  readonly op: ReduceOp
  readonly args: Readonly<Record<string, GpuArgument>>
  /** The folded expression as text. `at` is the index in [outer, length, inner], `row` the index in
   *  [outer]. */
  readonly term: (at: string, row: string) => string
}

/** Folds [outer, length, inner] → out [outer, inner]. An empty sum is 0. */
export type Fold = (
  args: readonly number[],
  out: Handle,
  outer: number,
  length: number,
  inner: number,
) => void

/** Folds the next element v into `folded`. */
const STEP: Record<ReduceOp, string> = {
  // Kahan's compensated sum: as good as an f64 sum rounded to f32. After an infinity nothing is left to
  // compensate.
  sum: `
          const wanted = v - lost
          const next = folded + wanted
          lost = (next - folded) - wanted
          if (${isNanText('lost')}) { lost = 0.0 }
          folded = next`,
  // A comparison instead of Math.max, so that NaN stays NaN on every backend.
  max: `if (v > folded || ${isNanText('v')}) { folded = v }`,
}

function chunkKernel(
  { name, op, args, term }: FoldDefinition,
  row: string,
  part: string,
  col: string,
): GpuKernel {
  const at = (k: string) => `(${row} * length + ${part} * chunk + ${k}) * inner + ${col}`
  return {
    name,
    args: { ...args, length: 'int', inner: 'int', chunk: 'int' },
    body: `
      let folded = ${op === 'sum' ? '0.0' : term(at('0'), row)}
      let lost = 0.0
      for (let k = 0; k < chunk; k++) {
        if (${part} * chunk + (k | 0) < length) {
          const v = ${term(at('(k | 0)'), row)}
          ${STEP[op]}
        }
      }
      return folded`,
  }
}

type Chunks = (...args: [...Parameters<Fold>, parts: number]) => void

function chunksGpu(engine: GpuEngine, definition: FoldDefinition): Chunks {
  const make = (suffix: string, row: string, part: string, col: string) =>
    engine.kernel(chunkKernel({ ...definition, name: `${definition.name}${suffix}` }, row, part, col))
  // gpu.js is slow if the x axis of an output is short, so inner = 1 has its own kernels.
  const rows = make('Rows', 'this.thread.x', '0', '0')
  const parts = make('Parts', 'this.thread.y', 'this.thread.x', '0')
  const columns = make('Columns', 'this.thread.z', 'this.thread.y', 'this.thread.x')
  return (args, out, outer, length, inner, count) => {
    const sizes = [...args, length, inner, Math.min(CHUNK, length)]
    if (inner > 1) columns(sizes, [inner, count, outer], out)
    else if (count > 1) parts(sizes, [count, outer], out)
    else rows(sizes, [outer], out)
  }
}

/** A fold of any expression over an axis, in chunks, with as many rounds as needed. */
export function foldGpu(engine: GpuEngine, definition: FoldDefinition): Fold {
  const { op } = definition
  const first = chunksGpu(engine, definition)
  const again = chunksGpu(engine, {
    name: `${op}Chunks`,
    op,
    args: { x: 'buffer' },
    term: (at) => `x[${at}]`,
  })
  const fold = (chunks: Chunks, ...[args, out, outer, length, inner]: Parameters<Fold>): void => {
    if (outer * inner === 0) return
    const parts = Math.max(1, Math.ceil(length / CHUNK))
    if (parts === 1) {
      chunks(args, out, outer, length, inner, 1)
      return
    }
    using partial = engine.scratch(outer * parts * inner)
    chunks(args, partial.handle, outer, length, inner, parts)
    fold(again, [partial.handle], out, outer, parts, inner)
  }
  return (...args) => fold(first, ...args)
}
