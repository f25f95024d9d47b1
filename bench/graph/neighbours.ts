import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openBlas } from '@tau/blas'
import { kneighbors, type NeighborLists, parseWinkVectors } from '@tau/graph'
import { cpu, type Device } from '@tau/tensor'
import { randomArray } from '@tau/testing'
import { benchLine, deviceLabel, itemRate, timesText } from '../harness/lines.ts'
import { race, speedup, type Timing, timingOf } from '../harness/race.ts'
import { joined, openPeer } from '../peers/peer.ts'
import { PYTHON } from '../peers/program.ts'
import type { GroupContext } from '../registry.ts'
import { wordVectors } from './words/words.ts'

const THREADS = 2
const K = 15
const EXACT = 'graph/knn_exact/20000x384'
const HNSW = 'graph/knn_hnsw/words100k'
const WORDS = 100_000

interface Points {
  readonly data: Float32Array
  readonly rows: number
  readonly cols: number
}

/** Searches that need a device, a peer or real vectors. */
export async function runNeighbours(context: GroupContext): Promise<number> {
  const benches = [
    [EXACT, exactAgainstSklearn],
    [HNSW, hnswAgainstExact],
  ] as const
  const chosen = benches.filter(([name]) => name.includes(context.filter))
  for (const [, run] of chosen) await run(context)
  return chosen.length
}

/** First the device of the other benches, then a device that everybody has, then a library. */
async function openDevices({ skip }: GroupContext): Promise<(readonly [string, Device])[]> {
  const devices: (readonly [string, Device])[] = [
    ['ms', await cpu({ threads: THREADS, simd: 'widest' })],
    ['relaxed_ms', await cpu({ threads: THREADS })],
  ]
  const blas = await cpu({ threads: THREADS, gemm: openBlas() })
  if (blas.info.fallbacks.length === 0) return [...devices, ['blas_ms', blas]]
  await blas.close()
  skip(`${EXACT}/blas_ms`, blas.info.fallbacks[0])
  return devices
}

async function exactAgainstSklearn(context: GroupContext): Promise<void> {
  const [rows, cols] = [20_000, 384]
  const points = { data: Float32Array.from(randomArray(rows * cols, 1)), rows, cols }
  const folder = mkdtempSync(join(tmpdir(), 'tau-bench-'))
  const devices = await openDevices(context)
  try {
    const [file, found] = [join(folder, 'points'), join(folder, 'found')]
    writeFileSync(file, points.data)
    const peer = await joined(
      context,
      { as: 'sklearn', leavesOut: `${EXACT}/ratio_vs_sklearn` },
      openPeer(PYTHON, 'scikit-learn.py', [file, ...[rows, cols, K, THREADS].map(String), found]),
    )
    if (peer) checkEqual(points, await kneighbors(points, { k: K, device: devices[0][1] }), found)
    const contestants = devices.map(([, device]) => ({
      label: deviceLabel(device),
      run: async () => void (await kneighbors(points, { k: K, device })),
    }))
    const timings = await race(peer ? [...contestants, peer] : contestants, { rounds: 5 })
    const sklearn = peer && timings.at(-1)
    await peer?.close()
    devices.forEach(([metric], i) => {
      const compared = sklearn ? [`${timesText(speedup(timings[i], sklearn).value)} scikit-learn`] : []
      report(context, EXACT, rows, timings[i], compared)
      context.metric(`${EXACT}/${metric}`, timings[i].ms, timings[i].spread)
    })
    if (!sklearn) return
    report(context, EXACT, rows, sklearn)
    const ratio = speedup(timings[0], sklearn)
    context.metric(`${EXACT}/sklearn_ms`, sklearn.ms, sklearn.spread)
    context.metric(`${EXACT}/ratio_vs_sklearn`, ratio.value, ratio.spread)
  } finally {
    for (const [, device] of devices) await device.close()
    rmSync(folder, { recursive: true })
  }
}

/** One run each, because a run takes long enough. */
async function hnswAgainstExact(context: GroupContext): Promise<void> {
  const words = wordVectors(context)
  if ('absent' in words) return context.skip(HNSW, words.absent)
  const points = parseWinkVectors(readFileSync(words.file), { limit: WORDS }).matrix
  const device = await cpu({ threads: THREADS, simd: 'widest' })
  const timed = async (algorithm: 'exact' | 'hnsw') => {
    const start = performance.now()
    const lists = await kneighbors(points, { k: K, metric: 'cosine', algorithm, device })
    const timing = timingOf(`${algorithm} ${THREADS} threads`, [performance.now() - start])
    return { lists, timing }
  }
  try {
    const exact = await timed('exact')
    const hnsw = await timed('hnsw')
    const recall = recallOf(hnsw.lists, exact.lists)
    report(context, HNSW, WORDS, exact.timing)
    report(context, HNSW, WORDS, hnsw.timing, [`recall@${K} ${recall.toFixed(4)}`])
    context.metric(`${HNSW}/exact_ms`, exact.timing.ms)
    context.metric(`${HNSW}/ms`, hnsw.timing.ms)
    context.metric(`${HNSW}/recall_at_${K}`, recall)
  } catch (error) {
    if (!(error instanceof Error && error.name === 'BackendError')) throw error
    context.skip(HNSW, error.message)
  } finally {
    await device.close()
  }
}

function report(
  { line }: GroupContext,
  name: string,
  count: number,
  timing: Timing,
  compared?: readonly string[],
): void {
  line(benchLine(name, timing, itemRate(timing, { count, unit: 'rows' }), compared))
}

/** Throws unless the peer found the same neighbours. Neighbours whose f32 distance equals that of the last
 *  one may differ. */
function checkEqual(
  { data, cols }: Points,
  { nNodes, indices, distances }: NeighborLists,
  file: string,
): void {
  const theirs = new Int32Array(new Uint8Array(readFileSync(file)).buffer)
  if (theirs.length !== indices.length)
    throw new Error(`bench: scikit-learn must give ${indices.length} neighbours, got ${theirs.length}`)
  for (let row = 0; row < nNodes; row++) {
    const ours = new Set(indices.subarray(row * K, row * K + K))
    const last = distances[row * K + K - 1]
    for (const index of theirs.subarray(row * K, row * K + K)) {
      if (ours.has(index)) continue
      let sum = 0
      for (let c = 0; c < cols; c++) sum += (data[row * cols + c] - data[index * cols + c]) ** 2
      if (Math.abs(Math.sqrt(sum) - last) > 1e-6 * last)
        throw new Error(
          `bench: neighbours in row ${row} must be those of scikit-learn, got its ${index} at distance ${Math.sqrt(sum)} beyond our last at ${last}`,
        )
    }
  }
}

/** The share of the exact neighbours that was found. */
function recallOf(found: NeighborLists, exact: NeighborLists): number {
  let hits = 0
  for (let row = 0; row < exact.nNodes; row++) {
    const list = new Set(found.indices.subarray(found.indptr[row], found.indptr[row + 1]))
    for (const index of exact.indices.subarray(exact.indptr[row], exact.indptr[row + 1]))
      if (list.has(index)) hits++
  }
  return hits / exact.indices.length
}
