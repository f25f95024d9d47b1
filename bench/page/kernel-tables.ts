import { significant, timesText, timeText } from '../harness/lines.ts'
import type { Metrics, Peers } from '../records/record.ts'
import { caught, cellsOf, percent, shown, type Table, tableOf } from './table.ts'

export function attentionTables(metrics: Metrics, peers: Peers): Table[] {
  const cell = cellsOf(metrics, 'attention/')
  const onnx = peers.onnxruntime?.version ?? 'onnxruntime'
  const hasOnnx = caught(metrics, /^attention\/(.+)\/onnxruntime_ms$/).length > 0
  return [
    tableOf(
      'Causal attention, 1 thread: one head of 64, H6 six of them',
      caught(metrics, /^attention\/(.+)\/fast_ms$/),
      [
        ['pass', String],
        ['O(T log T)', cell('/fast_ms', timeText)],
        ['pair by pair', cell('/quadratic_ms', timeText)],
        ['dot product', cell('/dot_ms', timeText)],
        ...(hasOnnx ? [[`dot product, ${onnx}`, cell('/onnxruntime_ms', timeText)] as const] : []),
        ['speed / pair by pair', cell('/speedup_vs_quadratic', timesText)],
        ['speed / dot product', cell('/speedup_vs_dot', timesText)],
        ...(hasOnnx ? [[`speed / ${onnx}`, cell('/ratio_vs_onnxruntime', timesText)] as const] : []),
      ],
    ),
  ]
}

const NN = 'matmul/nn/768'
/** Libraries that multiply the same squares, by their names in metrics. */
const PEERS: Readonly<Record<string, string>> = {
  onnxruntime: 'ONNX Runtime',
  openblas: 'OpenBLAS',
  jax_wasm: 'jax-js, WebAssembly',
  tfjs_wasm: 'tfjs, WebAssembly',
  gpujs_webasm: 'gpu.js, webasm',
  gpujs_cpu: 'gpu.js, cpu',
}

/** Ours first, then the libraries that took part. Their share of the ceiling follows from ours. */
function peerTable(metrics: Metrics, peers: Peers): Table {
  const [ours, share] = [metrics[`${NN}/gflops`], metrics[`${NN}/ratio_of_fma_ceiling`]]
  const rows = ours === undefined || share === undefined ? [] : ['', ...Object.keys(PEERS)]
  const gflops = (peer: string) => metrics[peer === '' ? `${NN}/gflops` : `${NN}/${peer}_gflops`]
  return tableOf(
    'Products of 768³ against other libraries, 1 thread',
    rows.filter((peer) => gflops(peer) !== undefined),
    [
      ['library', (peer) => peers[peer]?.version ?? PEERS[peer] ?? 'ours'],
      ['GFLOPS', (peer) => shown(gflops(peer), significant)],
      ['of multiply-adds in registers', (peer) => percent((gflops(peer) / ours) * share)],
      ['our speed / its speed', (peer) => shown(metrics[`${NN}/ratio_vs_${peer}`], timesText)],
    ],
  )
}

/** Yardsticks of memory, as metrics name them: `ratio_vs_<yardstick>`. */
const YARDSTICKS = ['memory_copy', 'memory_read']

/** A figure that compares a kernel with the one that it replaces: any `ratio_vs_` except those of yardsticks
 *  and libraries. */
function rivalText(metrics: Metrics, kernel: string, peers: Peers = {}): string {
  const found = caught(metrics, new RegExp(`^${kernel}/ratio_vs_(.+)$`)).filter(
    (as) => !YARDSTICKS.includes(as) && !Object.hasOwn(PEERS, as),
  )
  const told = (as: string) => peers[as]?.version ?? as
  return found.map((as) => `${timesText(metrics[`${kernel}/ratio_vs_${as}`])} ${told(as)}`).join(', ') || '–'
}

/** What limits the kernels of a table: the unit of their rate, its metric, the yardstick, and the metric of
 *  their share of it. */
type Limit = readonly [unit: string, rate: string, yardstick: string, share: string]
const ARITHMETIC: Limit = ['GFLOPS', 'gflops', 'multiply-adds in registers', 'ratio_of_fma_ceiling']
const COPYING: Limit = ['GB/s', 'gb_per_s', 'memory.copy', 'ratio_vs_memory_copy']
const READING: Limit = ['GB/s', 'gb_per_s', 'reads', 'ratio_vs_memory_read']

function rateTable(metrics: Metrics, title: string, kernels: readonly string[], limit: Limit): Table {
  const cell = cellsOf(metrics, '')
  const [unit, rate, yardstick, share] = limit
  return tableOf(title, kernels, [
    ['kernel', String],
    [unit, cell(`/${rate}`, significant)],
    [`of ${yardstick}`, cell(`/${share}`, percent)],
    ['2 threads', cell('/2_threads_scaling', timesText)],
    ['speed / another', (kernel) => rivalText(metrics, kernel)],
  ])
}

export function kernelTables(metrics: Metrics, peers: Peers): Table[] {
  const arithmetic = caught(metrics, /^(.+)\/ratio_of_fma_ceiling$/).filter((name) => name !== 'matmul')
  const isSquare = (name: string) => /^matmul\/\w+\/768$/.test(name)
  const isProduct = (name: string) => name.startsWith('matmul/')
  const products = arithmetic.filter((name) => isProduct(name) && !isSquare(name))
  const others = arithmetic.filter((name) => !isProduct(name))
  const copying = caught(metrics, /^(.+)\/ratio_vs_memory_copy$/)
  const reading = caught(metrics, /^(.+)\/ratio_vs_memory_read$/)
  return [
    peerTable(metrics, peers),
    rateTable(
      metrics,
      'Products of 768³ in three layouts, 1 thread',
      arithmetic.filter(isSquare),
      ARITHMETIC,
    ),
    rateTable(metrics, 'Products of tau-30m, 1 thread', products, ARITHMETIC),
    rateTable(metrics, 'Other kernels that arithmetic limits, 1 thread', others, ARITHMETIC),
    rateTable(metrics, 'Kernels that memory limits, 1 thread', copying, COPYING),
    rateTable(metrics, 'Kernels that read memory and write little, 1 thread', reading, READING),
  ]
}

export function blasTables(metrics: Metrics, peers: Peers): Table[] {
  const cell = cellsOf(metrics, 'blas/')
  const shapes = new Set(caught(metrics, /^blas\/(\w+\/\w+)\/\d_threads\/ratio_vs_openblas$/))
  return [
    tableOf(
      `Speed of @tau/blas / speed of bare cblas_sgemm${peers.openblas ? ` of ${peers.openblas.version}` : ''}`,
      [...shapes],
      [
        ['product', String],
        ['1 thread', cell('/1_threads/ratio_vs_openblas', timesText)],
        ['2 threads', cell('/2_threads/ratio_vs_openblas', timesText)],
      ],
    ),
  ]
}

const secondsText = (seconds: number): string => timeText(1000 * seconds)

export function graphTables(metrics: Metrics, peers: Peers): Table[] {
  const numpy = peers.numpy?.version ?? 'numpy'
  const cell = cellsOf(metrics, '')
  const rate = (name: string): string =>
    caught(metrics, new RegExp(`^${name}/(.+)_per_s$`))
      .map((items) => `${significant(metrics[`${name}/${items}_per_s`])} ${items}`)
      .join(', ')
  const others = (name: string): string =>
    caught(metrics, new RegExp(`^${name}/(.+)_ms$`))
      .map((other) => `${other} ${timeText(metrics[`${name}/${other}_ms`])}`)
      .join(', ') || '–'
  const all = caught(metrics, /^(graph\/.+)\/ms$/)
  // Only benches on plain arrays have a rate among their figures.
  return [
    tableOf(
      'Graphs and texts on plain arrays, 1 thread',
      all.filter((name) => rate(name) !== ''),
      [
        ['what', String],
        ['median', cell('/ms', timeText)],
        ['a second', rate],
      ],
    ),
    tableOf(
      'Searches, spectra and products on a device, 2 threads',
      all.filter((name) => rate(name) === ''),
      [
        ['what', String],
        ['median', cell('/ms', timeText)],
        ['others', others],
        ['speed / another', (name) => rivalText(metrics, name, peers)],
        ['recall at 15', cell('/recall_at_15', percent)],
      ],
    ),
    tableOf('Manifolds of embeddings files, 2 threads', caught(metrics, /^(graph\/manifold\/.+)\/seconds$/), [
      ['what', String],
      ['WebAssembly', cell('/seconds', secondsText)],
      ['with BLAS', cell('/blas_seconds', secondsText)],
      [numpy, cell('/numpy_seconds', secondsText)],
      [`speed / ${numpy}`, cell('/ratio_vs_numpy', timesText)],
      [`with BLAS / ${numpy}`, cell('/ratio_vs_numpy_blas', timesText)],
      ['peak memory', cell('/peak_memory_ratio', (share) => `${percent(share)} of the memory given`)],
    ]),
  ]
}
