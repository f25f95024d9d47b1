import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openBlas } from '@tau/blas'
import {
  buildManifold,
  type Csr,
  manifoldConfig,
  openEmbeddings,
  reduceEmbeddings,
  toDense,
  writeManifold,
} from '@tau/graph'
import { cpu, type Device } from '@tau/tensor'
import { benchLine, deviceLabel, itemRate, timesText } from '../harness/lines.ts'
import { race, speedup, timingOf } from '../harness/race.ts'
import { joined, openPeer } from '../peers/peer.ts'
import { NODE, PYTHON } from '../peers/program.ts'
import type { GroupContext } from '../registry.ts'

const THREADS = 2
const [ROWS, WIDTH, DIM, K] = [300_000, 384, 64, 15]
const NAME = `graph/manifold/${ROWS}x${WIDTH}`
const STREAMED = 'graph/manifold/streamed'
const BUDGET = 2 ** 27
const STREAMED_ROWS = Math.ceil((4 * BUDGET) / (4 * WIDTH))

/** A manifold of 300 000 embeddings against the same steps in numpy, and a manifold of a file four times as
 *  large as its memory budget. */
export async function runGraphManifold(context: GroupContext): Promise<number> {
  const benches = [
    [NAME, raceManifold],
    [STREAMED, measureMemory],
  ] as const
  const chosen = benches.filter(([name]) => name.includes(context.filter))
  for (const [, run] of chosen) {
    const folder = mkdtempSync(join(tmpdir(), 'tau-manifold-'))
    try {
      await run(folder, context)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  return chosen.length
}

/** Embeddings whose features are noise plus two of 16 shared factors each. All numbers are uniform from −½ to
 *  ½. */
function writeEmbeddings(file: string, rows: number): void {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${WIDTH}), }`.padEnd(117)
  const output = openSync(file, 'w')
  writeSync(output, Uint8Array.of(0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, 118, 0))
  writeSync(output, `${header}\n`)
  let state = 1
  const uniform = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32 - 0.5
  }
  const factors = new Float64Array(16)
  const block = new Float32Array(1000 * WIDTH)
  for (let first = 0; first < rows; first += 1000) {
    const count = Math.min(1000, rows - first)
    for (let i = 0; i < count; i++) {
      for (let f = 0; f < factors.length; f++) factors[f] = uniform()
      for (let j = 0; j < WIDTH; j++)
        block[i * WIDTH + j] = uniform() + 2 * factors[j % 16] + factors[(7 * j + (j >> 4)) % 16]
    }
    writeSync(output, block.subarray(0, count * WIDTH))
  }
  closeSync(output)
}

const build = async (file: string, device: Device, folder: string): Promise<Csr> => {
  const { laplacian, info } = await buildManifold(await openEmbeddings(file), { dim: DIM, k: K, device })
  const source = { rows: info.rows, cols: info.width }
  await writeManifold(folder, { laplacian, nameId: 'bench', source, config: manifoldConfig(info) })
  return laplacian
}

async function raceManifold(folder: string, context: GroupContext): Promise<void> {
  const file = join(folder, 'embeddings.npy')
  writeEmbeddings(file, ROWS)
  const devices: Device[] = []
  try {
    devices.push(await cpu({ threads: THREADS, simd: 'widest' }))
    const withBlas = await cpu({ threads: THREADS, gemm: openBlas() })
    devices.push(withBlas)
    if (withBlas.info.fallbacks.length > 0) {
      context.skip(`${NAME}/blas_seconds`, withBlas.info.fallbacks[0])
      await devices.pop()?.close()
    }
    writeFileSync(join(folder, 'basis'), identityReduced())
    writeFileSync(
      join(folder, 'expected'),
      new Float64Array(toDense(await build(file, devices[0], folder)).data),
    )
    const peer = await joined(
      context,
      { as: 'numpy', leavesOut: `${NAME}/ratio_vs_numpy` },
      openPeer(PYTHON, 'numpy-manifold.py', [file, ...[DIM, K, THREADS].map(String), folder]),
    )
    const contestants = devices.map((device) => ({
      label: deviceLabel(device),
      run: async () => void (await build(file, device, folder)),
    }))
    const rounds = context.quick ? 3 : 9
    const timings = await race(peer ? [...contestants, peer] : contestants, {
      rounds,
      warmUpMs: 0,
    })
    await peer?.close()
    const numpy = peer && timings.at(-1)
    for (const [i, timing] of timings.entries()) {
      const compared = numpy && timing !== numpy ? [`${timesText(speedup(timing, numpy).value)} numpy`] : []
      const rate = itemRate(timing, { count: ROWS, unit: 'rows' })
      context.line(benchLine(`${NAME} to [${DIM}, ${DIM}]`, timing, rate, compared))
      const prefix = timing === numpy ? 'numpy_' : ['', 'blas_'][i]
      context.metric(`${NAME}/${prefix}seconds`, timing.ms / 1000, timing.spread)
      if (!numpy || timing === numpy) continue
      const ratio = speedup(timing, numpy)
      context.metric(`${NAME}/ratio_vs_numpy${i === 0 ? '' : '_blas'}`, ratio.value, ratio.spread)
    }
  } finally {
    for (const device of devices) await device.close()
  }
}

/** The directions that embeddings are reduced to, read off the reduction of the identity matrix. */
function identityReduced(): Float64Array {
  const data = Float64Array.from({ length: WIDTH * WIDTH }, (_, n) => (n % (WIDTH + 1) === 0 ? 1 : 0))
  return reduceEmbeddings({ data, rows: WIDTH, cols: WIDTH }, { dim: DIM }).data
}

/** The peak memory of a fresh process that builds a manifold, minus its memory at the start. */
async function measureMemory(folder: string, context: GroupContext): Promise<void> {
  const file = join(folder, 'embeddings.npy')
  writeEmbeddings(file, STREAMED_ROWS)
  const [program, ...options] = NODE.command
  const script = fileURLToPath(new URL('manifold-process.ts', import.meta.url))
  const args = [...options, script, file, ...[BUDGET, DIM, THREADS].map(String)]
  const { ms, bytes } = JSON.parse(execFileSync(program, args, { encoding: 'utf8' }))
  const timing = timingOf(`${THREADS} threads`, [ms])
  const rate = itemRate(timing, { count: STREAMED_ROWS, unit: 'rows' })
  const text = `peak memory ${(bytes / 2 ** 20).toFixed(0)} MiB of ${BUDGET / 2 ** 20}`
  context.line(benchLine(`${STREAMED} ${(4 * BUDGET) / 2 ** 20} MiB`, timing, rate, [text]))
  context.metric(`${STREAMED}/seconds`, ms / 1000)
  context.metric(`${STREAMED}/peak_bytes`, bytes)
  context.metric(`${STREAMED}/peak_memory_ratio`, bytes / BUDGET)
}
