import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import type { GatherKernel, ScatterAddKernel } from './embedding.ts'

const GATHER: GpuKernel = {
  name: 'gather',
  args: { table: 'buffer', ids: 'buffer', tableRows: 'int', width: 'int', nan: 'float' },
  body: `
    const id = ids[this.thread.y]
    if (id >= 0 && id < tableRows) {
      return table[(id | 0) * width + this.thread.x]
    }
    return nan`,
}

/** Index of the first use of each row of the table; −1 if it is not used. */
const FIRST_USE: GpuKernel = {
  name: 'scatterFirstUse',
  args: { ids: 'buffer', count: 'int' },
  body: `
    let found = -1.0
    for (let i = 0; i < count; i++) {
      if (ids[i] === this.thread.x) {
        found = i
        break
      }
    }
    return found`,
}

/** Index of the next use of the same id; −1 if there is none. With the first uses, this is a list of the uses
 *  of every row, in order. It is needed because threads cannot add to the same place. So each sum reads only
 *  its own uses. */
const NEXT_USE: GpuKernel = {
  name: 'scatterNextUse',
  args: { ids: 'buffer', count: 'int' },
  body: `
    let found = -1.0
    const id = ids[this.thread.x]
    for (let k = 1; k < count - this.thread.x; k++) {
      if (ids[this.thread.x + (k | 0)] === id) {
        found = this.thread.x + (k | 0)
        break
      }
    }
    return found`,
}

const SCATTER_ADD: GpuKernel = {
  name: 'scatterAdd',
  args: { target: 'buffer', rows: 'buffer', first: 'buffer', next: 'buffer', width: 'int' },
  body: `
    let sum = target[this.thread.y * width + this.thread.x]
    let use = first[this.thread.y]
    while (use >= 0) {
      sum += rows[(use | 0) * width + this.thread.x]
      use = next[use | 0]
    }
    return sum`,
}

export function gatherGpu(engine: GpuEngine): GatherKernel {
  const launch = engine.kernel(GATHER)
  return (table, ids, out, count, tableRows, width) =>
    launch([table, ids, tableRows, width, Number.NaN], [width, count], out)
}

export function scatterAddGpu(engine: GpuEngine): ScatterAddKernel {
  const firstUse = engine.kernel(FIRST_USE)
  const nextUse = engine.kernel(NEXT_USE)
  const launch = engine.kernel(SCATTER_ADD)
  return (target, ids, rows, count, tableRows, width) => {
    using first = engine.scratch(tableRows)
    using next = engine.scratch(count)
    firstUse([ids, count], [tableRows], first.handle)
    nextUse([ids, count], [count], next.handle)
    launch([target, rows, first.handle, next.handle, width], [width, tableRows], target)
  }
}
