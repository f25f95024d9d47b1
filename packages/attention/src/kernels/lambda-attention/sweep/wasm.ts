import { type CpuEngine, ELEMENT_BYTES, F64_BYTES, type Launch, touches } from '@tau/tensor/kernel'
import {
  lambdaAttentionSweep as sweep,
  lambdaAttentionSweepColumns as sweepColumns,
  lambdaAttentionSweepEvents as sweepEvents,
  lambdaAttentionSweepOrder as sweepOrder,
  lambdaAttentionSweepRows as sweepRows,
} from '../../../generated/constants.ts'
import type { AttentionSizes } from '../../attention-shape.ts'
import { attentionWasm } from '../../cpu-module.ts'
import type { LambdaHandles } from '../pass.ts'
import type { LambdaSweepGradKernel, LambdaSweepKernel } from './sweep.ts'

const { SOLVE, JOIN, FINISH } = sweep
const { EVENT_BYTES } = sweepEvents
const { ENTRY_BYTES } = sweepOrder
const { ROW_BYTES } = sweepRows
const { COLUMN_BYTES } = sweepColumns
const [BEST_WORDS, ROW_WORDS, COLUMN_WORDS] = [F64_BYTES, ROW_BYTES, COLUMN_BYTES].map(
  (n) => n / ELEMENT_BYTES,
)
/** Rows are whole vectors of this many elements. */
const LANES = 4

/** Times of a leaf, at most 64. Pairs within a leaf are summed one by one. 32 took the shortest time for T
 *  from 256 to 8192. */
const LEAF = 32
/** If every thread gets at least this many heads, a head is one work item. The same holds if all threads get
 *  equally many heads. Otherwise heads are cut into blocks of time, so that no thread is idle for long. */
const ENOUGH_HEADS = 4
/** Blocks that a cut head has. */
const BLOCKS = 8

/** From this many keys on, rows are copied into order of λ, because they no longer fit the caches. It is at
 *  least twice the block of assembly/lambda-attention/sweep/sorted.ts. */
const SORT_KEYS = 32768

/** Bytes of the sorted copies, as assembly/lambda-attention/sweep/sorted.ts lays them out. */
const sortedBytes = ({ batch, heads, queries, keys }: AttentionSizes, dim: number): number =>
  batch * heads * (keys * (dim * ELEMENT_BYTES + 8) + queries * 16)

const padded = (n: number, to: number): number => Math.ceil(n / to) * to

/** `leaf` is a power of two from 4 to 64. Tests use small leaves for short inputs. */
export function lambdaSweepWasm(engine: CpuEngine, leaf = LEAF): LambdaSweepKernel {
  const forward = engine.kernel(attentionWasm, 'lambdaSweepForward')
  const copyRows = rowCopier(engine)
  return (inputs, { out, best }, sizes) => {
    const rows = sizes.batch * sizes.heads * sizes.queries
    solve(engine, copyRows, leaf, inputs, best, sizes, (run, dim) => {
      using mass = engine.scratch(rows * ELEMENT_BYTES)
      using wide = dim === sizes.valueDim ? undefined : engine.scratch(rows * dim * ELEMENT_BYTES)
      using sorted = sizes.keys >= SORT_KEYS ? engine.scratch(sortedBytes(sizes, dim)) : undefined
      run(forward, [wide?.handle ?? out, mass.handle, sorted?.handle ?? 0], {
        steps: rows * (2 + BEST_WORDS + dim) + sizes.batch * sizes.kvHeads * sizes.keys * (1 + dim),
        finish: rows * (1 + 2 * dim),
      })
      if (wide) copyRows(wide.handle, out, rows, dim, sizes.valueDim)
    })
  }
}

export function lambdaSweepGradWasm(engine: CpuEngine, leaf = LEAF): LambdaSweepGradKernel {
  const rowsPass = engine.kernel(attentionWasm, 'lambdaSweepRows')
  const columnsPass = engine.kernel(attentionWasm, 'lambdaSweepColumns')
  const copyRows = rowCopier(engine)
  return (inputs, { best, dOut }, grads, sizes) => {
    const { batch, heads, kvHeads, queries, keys, valueDim } = sizes
    const rows = batch * heads * queries
    const columns = batch * heads * keys
    solve(engine, copyRows, leaf, inputs, best, sizes, (run, dim) => {
      const isPadded = dim !== valueDim
      using wideGrad = isPadded ? engine.scratch(rows * dim * ELEMENT_BYTES) : undefined
      using wideValues = isPadded ? engine.scratch(columns * dim * ELEMENT_BYTES) : undefined
      using rowSums = engine.scratch(rows * ROW_BYTES)
      using keySums = engine.scratch(columns * COLUMN_BYTES)
      using moments = engine.scratch(batch * heads * F64_BYTES)
      if (wideGrad) copyRows(dOut, wideGrad.handle, rows, valueDim, dim)
      const gradRows = wideGrad?.handle ?? dOut
      run(rowsPass, [gradRows, rowSums.handle, grads.dLambdaQ, moments.handle], {
        steps: rows * (1 + BEST_WORDS + dim + ROW_WORDS) + batch * kvHeads * keys * (1 + dim),
        finish: rows * (2 + ROW_WORDS),
      })
      const columnArgs = [
        ...[gradRows, rowSums.handle, moments.handle, keySums.handle, grads.dLambdaK],
        ...[wideValues?.handle ?? grads.dV, grads.dTemperature, grads.dLogDecay ?? 0],
      ]
      run(columnsPass, columnArgs, {
        steps: rows * (1 + BEST_WORDS + dim + ROW_WORDS) + columns * (1 + COLUMN_WORDS + dim),
        finish: columns * (2 + COLUMN_WORDS),
      })
      if (wideValues) copyRows(wideValues.handle, grads.dV, columns, dim, valueDim)
    })
  }
}

/** Runs a pass over all blocks. `own` are the pass's own arguments; they lie between the arguments of the
 *  step and the arguments that all passes share. */
type RunPass = (pass: Launch, own: readonly number[], touched: Touched) => void

/** Elements of 4 bytes that the steps must read or write. Profiles show them. */
interface Touched {
  /** Elements of the solve step, which touches all times. A join touches half of them: the keys of first
   *  halves and the queries of second halves. */
  readonly steps: number
  readonly finish: number
}

type CopyRows = (source: number, target: number, rows: number, sourceDim: number, targetDim: number) => void

/** Copies rows into longer or shorter rows. Added elements are 0. */
function rowCopier(engine: CpuEngine): CopyRows {
  const launch = engine.kernel(attentionWasm, 'copyRows')
  return (source, target, rows, sourceDim, targetDim) =>
    launch([source, target, sourceDim, targetDim], rows, 4096, touches(rows * (sourceDim + targetDim)))
}

/** Allocates scratch and prepares the arguments that all passes share. Then it calls `passes` with a function
 *  that runs one pass over all blocks, from small blocks to the whole. Rows have `dim` elements: valueDim,
 *  rounded up to a multiple of LANES. */
function solve(
  engine: CpuEngine,
  copyRows: CopyRows,
  leaf: number,
  { lambdaQ, lambdaK, v, temperature, logDecay }: LambdaHandles,
  best: number,
  { batch, heads, kvHeads, queries, keys, valueDim, capacity, decayBatch }: AttentionSizes,
  passes: (run: RunPass, dim: number) => void,
): void {
  const items = batch * heads
  const dim = padded(valueDim, LANES)
  const valueRows = batch * kvHeads * capacity
  using orders = engine.scratch(items * (queries + 3 * keys) * ENTRY_BYTES)
  using lists = engine.scratch(items * padded(keys, LANES) * EVENT_BYTES)
  using wide = dim === valueDim ? undefined : engine.scratch(valueRows * dim * ELEMENT_BYTES)
  if (wide) copyRows(v, wide.handle, valueRows, valueDim, dim)
  const shared = [
    ...[lambdaQ, lambdaK, wide?.handle ?? v, temperature, logDecay?.high ?? 0, logDecay?.low ?? 0, best],
    ...[orders.handle, heads, kvHeads, queries, keys, dim, capacity, decayBatch],
  ]
  const whole = leaf * 2 ** Math.ceil(Math.log2(Math.max(1, keys / leaf)))
  const { threads } = engine.info
  const shares = items % threads === 0 || items >= ENOUGH_HEADS * threads
  const first = shares ? whole : Math.max(leaf, whole / BLOCKS)
  passes((pass, own, { steps, finish }) => {
    const launch = (step: number, size: number, touched: number) =>
      pass(
        [step, size, leaf, lists.handle, ...own, ...shared],
        items * Math.ceil(keys / size),
        1,
        touches(touched),
      )
    launch(SOLVE, first, steps)
    for (let size = 2 * first; size <= whole; size *= 2) launch(JOIN, size, steps / 2)
    launch(FINISH, whole, finish)
  }, dim)
}
