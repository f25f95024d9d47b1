import { cpu, type Device, MAX_CPU_BYTES } from '@tau/tensor'
import type { CpuEngine } from '@tau/tensor/kernel'
import { GraphError } from '../errors.ts'
import { cpuEngine } from '../kernels/cpu-engine.ts'
import type { Pace } from '../watch/pace.ts'
import { PlacedSearch } from './device/placed.ts'
import { MAX_DIM } from './device/scores.ts'
import type { Search } from './search.ts'

/** Options of every exact search. */
export interface DeviceOptions {
  /** A cpu device whose threads and memory are used. Unless given, small searches run in plain JavaScript,
   *  and others open a device with all threads for themselves. The result has the same bits. */
  device?: Device
}

/** Work that f64 loops in JavaScript do in 40 ms, the time to open a device. With an open device the loops
 *  were slower from 100 rows on. */
const SMALL = 2.5e7
/** Work per pair besides its coordinates. */
const PAIR_WORK = 20
/** With fewer queries, plain loops take less time than placing the points on a device. */
const FEW_QUERIES = 16
const BYTES_PER_COORDINATE = 12

/** Whether the points and queries of an exact search fit in a device's memory. */
export const fitsDevice = ({ all }: Search): boolean => all.data.length * BYTES_PER_COORDINATE < MAX_CPU_BYTES

const isSmall = ({ all, queries, count, self }: Search): boolean =>
  (queries * count * (all.dim + PAIR_WORK)) / (self ? 2 : 1) < SMALL

/** Runs a search on the given device, on a device of its own, or in plain f64 loops. */
export const runSearch = async <T>(
  op: string,
  search: Search,
  device: Device | undefined,
  pace: Pace,
  forms: { plain: () => Promise<T>; placed: (placed: PlacedSearch) => Promise<T> },
): Promise<T> => {
  const engine = device && cpuEngine(op, device)
  if (search.queries < FEW_QUERIES || search.all.dim > MAX_DIM || (!device && isSmall(search)))
    return forms.plain()
  if (!fitsDevice(search)) {
    const bytes = search.all.data.length * BYTES_PER_COORDINATE
    throw new GraphError(
      `${op}: points and queries must fit in ${MAX_CPU_BYTES} bytes of WebAssembly memory with ${BYTES_PER_COORDINATE} bytes per coordinate, got ${bytes}; search parts of them, or reduce their width`,
    )
  }
  if (device && engine) return onDevice(device, engine, search, pace, forms.placed)
  const own = await cpu()
  try {
    return await onDevice(own, cpuEngine(op, own), search, pace, forms.placed)
  } finally {
    await own.close()
  }
}

const onDevice = async <T>(
  device: Device,
  engine: CpuEngine,
  search: Search,
  pace: Pace,
  run: (placed: PlacedSearch) => Promise<T>,
): Promise<T> => {
  using placed = new PlacedSearch(device, engine, search)
  await placed.place(pace)
  return await run(placed)
}
