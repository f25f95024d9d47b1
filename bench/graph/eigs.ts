import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  affinity,
  type Csr,
  csrFromNeighbors,
  type DenseMatrix,
  DeviceCsr,
  type Eigenpairs,
  kneighbors,
  type LaplacianWithDiagonal,
  laplacian,
  type Metric,
  nnz,
  smallestEigenpairs,
  spmm,
  symmetrize,
} from '@tau/graph'
import { type Device, Random } from '@tau/tensor'
import { randomArray } from '@tau/testing'
import { onDevices } from '../harness/devices.ts'
import { benchLine, deviceLabel, itemRate, timesText } from '../harness/lines.ts'
import { race, speedup } from '../harness/race.ts'
import { type Absent, joined, openPeer, type Peer } from '../peers/peer.ts'
import { PYTHON } from '../peers/program.ts'
import type { GroupContext } from '../registry.ts'

const NEIGHBOURS = 15
const PAIRS = 10
const TOLERANCE = 1e-8
/** The width of a block of vectors. */
const COLUMNS = 16

interface Case {
  readonly name: string
  readonly what: string
  readonly size: number
  readonly points: (size: number) => DenseMatrix
  readonly metric: Metric
  /** The modes of eigsh that run; the shortest time counts. Shift-invert needs a factorization that fits in
   *  memory. For 50 000 embeddings it was not done after 45 s. */
  readonly modes: readonly ('flip' | 'shift-invert')[]
  /** Rounds in turn with SciPy; default 3. */
  readonly rounds?: number
}

/** The roll. Products with its Laplacian are timed, too. */
const ROLL: Case = {
  name: 'graph/eigs/50000_roll',
  what: 'a Swiss roll: a surface in 3 dimensions',
  size: 50_000,
  points: roll,
  metric: 'euclidean',
  modes: ['flip', 'shift-invert'],
}

const CASES: readonly Case[] = [
  {
    name: 'graph/eigs/50000',
    what: 'embeddings: 40 clusters in 16 dimensions',
    size: 50_000,
    points: embeddings,
    metric: 'cosine-unrectified',
    modes: ['flip'],
  },
  ROLL,
  {
    name: 'graph/eigs/100000',
    what: 'embeddings: 40 clusters in 16 dimensions',
    size: 100_000,
    points: embeddings,
    metric: 'cosine-unrectified',
    modes: ['flip'],
    rounds: 1,
  },
  {
    name: 'graph/eigs/100000_roll',
    what: 'a Swiss roll: a surface in 3 dimensions',
    size: 100_000,
    points: roll,
    metric: 'euclidean',
    modes: ['shift-invert'], // the other mode takes three times as long
    rounds: 1,
  },
]

/** Overlapping clusters with a falling spectrum, as real embeddings have. */
function embeddings(size: number): DenseMatrix {
  const [clusters, cols] = [40, 16]
  const random = new Random(1)
  const centres = Float64Array.from({ length: clusters * cols }, () => random.gaussian())
  const data = new Float64Array(size * cols)
  for (let i = 0; i < size; i++) {
    const from = random.integer(clusters) * cols
    for (let c = 0; c < cols; c++) {
      data[i * cols + c] = (centres[from + c] + 0.6 * random.gaussian()) / Math.sqrt(1 + c)
    }
  }
  return { data, rows: size, cols }
}

function roll(size: number): DenseMatrix {
  const random = new Random(2)
  const data = new Float64Array(size * 3)
  for (let i = 0; i < size; i++) {
    const turn = 1.5 * Math.PI * (1 + 2 * random.float())
    data.set([turn * Math.cos(turn), 21 * random.float(), turn * Math.sin(turn)], 3 * i)
  }
  return { data, rows: size, cols: 3 }
}

async function laplacianOf({ size, points, metric }: Case, device: Device): Promise<LaplacianWithDiagonal> {
  const lists = await kneighbors(points(size), { k: NEIGHBOURS, metric, device })
  const distances = csrFromNeighbors(lists, { mode: 'distance' })
  const adjacency = symmetrize(affinity(distances, { kernel: 'self-tuning' }), 'average')
  return laplacian(adjacency, { normalization: 'symmetric', returnDiagonal: true })
}

/** The smallest eigenpairs of graphs of 50 000 and 100 000 nodes against SciPy's eigsh, and products of the
 *  Laplacian with a block of vectors. */
export async function runGraphEigs(context: GroupContext): Promise<number> {
  const cases = CASES.filter(({ name }) => name.includes(context.filter))
  const product = `graph/spmm_device/${ROLL.size}`
  const isProductAsked = product.includes(context.filter)
  if (cases.length === 0 && !isProductAsked) return 0
  const threads = Math.min(2, availableParallelism())
  await onDevices([threads], context, async ([device]) => {
    for (const each of CASES.filter((one) => cases.includes(one) || (one === ROLL && isProductAsked))) {
      const graph = await laplacianOf(each, device)
      if (cases.includes(each)) await raceEigenpairs(each, graph, device, context)
      if (each === ROLL && isProductAsked) await raceProducts(product, graph.laplacian, device, context)
    }
  })
  return cases.length + Number(isProductAsked)
}

async function raceEigenpairs(
  { name, what, modes, rounds = 3 }: Case,
  { laplacian: L, diagonal: kernelVector }: LaplacianWithDiagonal,
  device: Device,
  context: GroupContext,
): Promise<void> {
  const run = () => smallestEigenpairs(L, { k: PAIRS, tolerance: TOLERANCE, kernelVector, device })
  const pairs = await run()
  const residual = Math.max(...pairs.residuals)
  if (!(residual <= 2 * TOLERANCE)) {
    throw new Error(
      `bench: residuals must be at most ${2 * TOLERANCE} (the largest eigenvalue is 2), got ${residual}`,
    )
  }
  const folder = writeProblem(L, pairs)
  const peers: Peer[] = []
  try {
    for (const mode of modes) {
      const opening = openScipy(folder, L.nRows, mode, device.info.threads)
      const peer = await joined(context, { as: 'scipy', leavesOut: `${name}/${mode}` }, opening)
      if (peer) peers.push(peer)
    }
    const ours = { label: deviceLabel(device), run: async () => void (await run()) }
    const [timing, ...others] = await race([ours, ...peers], {
      rounds: context.quick ? 1 : rounds,
      warmUpMs: 0,
    })
    const compared = others.map(
      (other) =>
        `${timesText(speedup(timing, other).value)} ${other.label} (${(other.ms / 1000).toFixed(2)} s)`,
    )
    const rate = itemRate(timing, { count: L.nRows, unit: 'nodes' })
    context.line(
      benchLine(`${name} ${what}, ${nnz(L)} entries, ${PAIRS} pairs to ${TOLERANCE}`, timing, rate, [
        `${pairs.products} products, residual ${residual.toExponential(1)}`,
        ...compared,
      ]),
    )
    context.metric(`${name}/ms`, timing.ms, timing.spread)
    context.metric(`${name}/residual`, residual)
    if (others.length > 0) {
      const [ratio] = others.map((other) => speedup(timing, other)).toSorted((a, b) => a.value - b.value) // the faster mode of SciPy counts
      context.metric(`${name}/ratio_vs_scipy`, ratio.value, ratio.spread)
    }
  } finally {
    for (const peer of peers) await peer.close()
    rmSync(folder, { recursive: true })
  }
}

/** Writes the files that scipy-eigs.py reads. */
function writeProblem({ indptr, indices, values }: Csr, pairs: Eigenpairs): string {
  const folder = mkdtempSync(join(tmpdir(), 'tau-eigs-'))
  const files = { indptr, indices, values, expected: pairs.values }
  for (const [name, array] of Object.entries(files)) {
    writeFileSync(join(folder, name), new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  }
  return folder
}

const openScipy = (folder: string, rows: number, mode: string, threads: number): Promise<Peer | Absent> =>
  openPeer(PYTHON, 'scipy-eigs.py', [folder, ...[rows, PAIRS, TOLERANCE, mode, threads].map(String)])

/** The product of a Laplacian and a block of vectors: by spmm, and by a matrix on the device. Copies of the
 *  block to the device and back count. */
async function raceProducts(name: string, L: Csr, device: Device, context: GroupContext): Promise<void> {
  using resident = new DeviceCsr(L, device)
  const x = { data: randomArray(L.nRows * COLUMNS, 3), rows: L.nRows, cols: COLUMNS }
  const [found, expected] = [resident.spmm(x).data, spmm(L, x).data]
  if (found.some((value, n) => value !== expected[n]))
    throw new Error('bench: a product on the device must have the bits of spmm, got others')
  const [ours, plain] = await race([
    { label: deviceLabel(device), run: () => void resident.spmm(x) },
    { label: 'spmm', run: () => void spmm(L, x) },
  ])
  const ratio = speedup(ours, plain)
  const rate = itemRate(ours, { count: L.nRows, unit: 'rows' })
  context.line(
    benchLine(`${name} ${nnz(L)} entries times [${L.nRows}, ${COLUMNS}]`, ours, rate, [
      `${timesText(ratio.value)} spmm`,
    ]),
  )
  context.metric(`${name}/ms`, ours.ms, ours.spread)
  context.metric(`${name}/ratio_vs_js`, ratio.value, ratio.spread)
}
