import type { CpuEngine } from '../../backends/cpu/engine.ts'
import { ELEMENT_GRAIN, rowGrain } from '../../backends/cpu/grain.ts'
import { touches } from '../../backends/cpu/work.ts'
import { ELEMENT_BYTES, F64_BYTES } from '../../dtype.ts'
import { reduce } from '../../generated/constants.ts'
import { tensorWasm } from '../cpu-module.ts'
import type { ReduceKernel } from './reduce.ts'

/** Columns per item of the column kernels. */
const { PANEL } = reduce
/** A long reduction to fewer numbers than this is cut into chunks, so that there are tiles for every
 *  thread. */
const FEW = 64

type Reduction = (x: number, out: number, outer: number, length: number, inner: number) => void

export function reduceWasm(engine: CpuEngine): ReduceKernel {
  const sum = sumWasm(engine)
  const max = maxWasm(engine)
  return (op, x, out, outer, length, inner) => (op === 'sum' ? sum : max)(x, out, outer, length, inner)
}

const panelCount = (outer: number, inner: number): number => outer * Math.ceil(inner / PANEL)
const panelGrain = (length: number, inner: number): number => rowGrain(length * Math.min(inner, PANEL))

function sumWasm(engine: CpuEngine): Reduction {
  const rows = engine.kernel(tensorWasm, 'sumRows')
  const chunks = engine.kernel(tensorWasm, 'sumChunks')
  const columns = engine.kernel(tensorWasm, 'sumColumns')
  const columnChunks = engine.kernel(tensorWasm, 'sumColumnChunks')
  const addChunks = engine.kernel(tensorWasm, 'addChunks')
  return (x, out, outer, length, inner) => {
    const work = touches(outer * (length + 1) * inner)
    if (inner === 1 && outer < FEW && length > ELEMENT_GRAIN) {
      const parts = Math.ceil(length / ELEMENT_GRAIN)
      const stride = parts * F64_BYTES
      using sums = engine.scratch(outer * stride)
      chunks(
        [x, sums.handle, length, ELEMENT_GRAIN, parts],
        outer * parts,
        1,
        touches(outer * (length + 2 * parts)),
      )
      addChunks(
        [sums.handle, out, parts, stride, F64_BYTES],
        outer,
        rowGrain(parts),
        touches(outer * (2 * parts + 1)),
      )
    } else if (inner === 1) rows([x, out, length], outer, rowGrain(length), work)
    else if (outer === 1 && inner <= PANEL && length * inner > 2 * ELEMENT_GRAIN) {
      const chunk = rowGrain(inner)
      const parts = Math.ceil(length / chunk)
      const stride = Math.ceil(inner / 4) * 4 * F64_BYTES // sums are stored in whole vectors of four columns
      using sums = engine.scratch(parts * stride)
      columnChunks(
        [x, sums.handle, length, inner, chunk, stride],
        parts,
        1,
        touches(inner * (length + 2 * parts)),
      )
      addChunks(
        [sums.handle, out, parts, F64_BYTES, stride],
        inner,
        rowGrain(parts),
        touches(inner * (2 * parts + 1)),
      )
    } else columns([x, out, length, inner], panelCount(outer, inner), panelGrain(length, inner), work)
  }
}

function maxWasm(engine: CpuEngine): Reduction {
  const chunks = engine.kernel(tensorWasm, 'maxChunks')
  const columns = engine.kernel(tensorWasm, 'maxColumns')
  return (x, out, outer, length, inner) => {
    const work = touches(outer * (length + 1) * inner)
    if (inner === 1 && outer < FEW && length > ELEMENT_GRAIN) {
      const parts = Math.ceil(length / ELEMENT_GRAIN)
      using peaks = engine.scratch(outer * parts * ELEMENT_BYTES)
      chunks(
        [x, peaks.handle, length, ELEMENT_GRAIN, parts],
        outer * parts,
        1,
        touches(outer * (length + parts)),
      )
      chunks([peaks.handle, out, parts, parts, 1], outer, rowGrain(parts), touches(outer * (parts + 1)))
    } else if (inner === 1) chunks([x, out, length, length, 1], outer, rowGrain(length), work)
    else columns([x, out, length, inner], panelCount(outer, inner), panelGrain(length, inner), work)
  }
}
