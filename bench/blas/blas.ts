import { openBlas } from '@tau/blas'
import { BackendError, cpu, type Device, matmul, type Tensor } from '@tau/tensor'
import type { CpuEngine } from '@tau/tensor/kernel'
import { randomArray } from '@tau/testing'
import koffi from 'koffi'
import { spreadText, timesText } from '../harness/lines.ts'
import { speedup, timingOf } from '../harness/race.ts'
import type { GroupContext } from '../registry.ts'

type Layout = 'nn' | 'nt' | 'tn'

/** The products of tau-30m at 1024 tokens, forward and backward, and a square: [m, n, k]. */
const SHAPES: readonly (readonly [number, number, number, Layout])[] = [
  [1024, 384, 384, 'nn'],
  [1024, 1536, 384, 'nn'],
  [1024, 384, 1536, 'nn'],
  [1024, 384, 1536, 'nt'],
  [384, 1536, 1024, 'tn'],
  [1536, 384, 1024, 'tn'],
  [768, 768, 768, 'nn'],
  [1024, 30_522, 384, 'nt'],
  [1024, 384, 30_522, 'nn'],
  [30_522, 384, 1024, 'tn'],
]
const THREADS = [1, 2]
const ROW_MAJOR = 101
const flag = (transposed: boolean) => (transposed ? 112 : 111)

interface Native {
  /** Name and version. */
  readonly version: string
  /** Sets how many threads the library uses by itself. */
  setThreads(count: number): void
  sgemm(...args: number[]): void
  address(memory: Uint8Array): number
}

/** The library that @tau/blas finds on this system, called directly. */
function openNative(): Native {
  const library = koffi.load('libopenblas.so.0')
  const config = library.func('const char *openblas_get_config()')() as string
  return {
    version: config.split(' ').slice(0, 2).join(' '),
    setThreads: library.func('void openblas_set_num_threads(int)'),
    sgemm: library.func(
      'void cblas_sgemm(int, int, int, int, int, int, float, void *, int, void *, int, float, void *, int)',
    ),
    address: (memory) => Number(koffi.address(memory)),
  }
}

/** Idle threads of OpenBLAS busy-wait for 2²⁶ ticks of the time stamp counter: 17 ms at 4 GHz, 34 ms at 2
 *  GHz. */
const LOOKING_MS = 60
/** The time until threads that slept have a core again, at its full clock rate. */
const WAKING_MS = 60

/** Times `matmul` on a device with the add-on and the bare call on as many threads of the library, in turn.
 *  Returns the median ratio of the rounds. Our threads are asleep long before the library's begin, and the
 *  other way round, so each side has the cores for itself. */
async function ratioOf(
  device: Device,
  native: Native,
  shape: (typeof SHAPES)[number],
  context: GroupContext,
) {
  const [m, n, k, layout] = shape
  const { threads } = device.info
  using _scope = device.scope()
  const a = device.tensor(Float32Array.from(randomArray(m * k, 1)), layout === 'tn' ? [k, m] : [m, k])
  const b = device.tensor(Float32Array.from(randomArray(k * n, 2)), layout === 'nt' ? [n, k] : [k, n])
  const out = device.empty([m, n])
  const bytes = (device.engine as CpuEngine).view(0, 1).buffer
  const base = native.address(new Uint8Array(bytes))
  const at = ({ handle }: Tensor) => base + Number(handle)
  const [transA, transB] = [layout === 'tn', layout === 'nt']
  const bare = () =>
    native.sgemm(
      ...[ROW_MAJOR, flag(transA), flag(transB), m, n, k],
      ...[1, at(a), transA ? m : k, at(b), transB ? k : n, 0, at(out), n],
    )
  const ours = () => matmul(a, b, layout).dispose()
  // The helper threads of one contestant busy-wait for a while and would slow down the other.
  const pause = () => new Promise<void>((resolve) => setTimeout(resolve, LOOKING_MS))
  const many = Math.max(1, Math.round(2.5e9 / (m * n * k)))
  const repeat = (run: () => void, count: number) => async () => {
    native.setThreads(count)
    for (const end = performance.now() + WAKING_MS; performance.now() < end; ) run()
    const start = performance.now()
    for (let i = 0; i < many; i++) run()
    const ms = (performance.now() - start) / many
    native.setThreads(1)
    await pause()
    return ms
  }
  const contestants = { ours: repeat(ours, 1), bare: repeat(bare, threads) }
  const samples = { ours: [] as number[], bare: [] as number[] }
  for (const name of ['ours', 'bare'] as const) await contestants[name]()
  for (let round = 0; round < 7; round++)
    for (const name of round % 2 ? (['ours', 'bare'] as const) : (['bare', 'ours'] as const))
      samples[name].push(await contestants[name]())
  const [x, y] = [timingOf('ours', samples.ours), timingOf('bare', samples.bare)]
  const ratio = speedup(x, y)
  const gflops = (ms: number) => ((2 * m * n * k) / ms / 1e6).toFixed(0)
  context.line(
    `matmul ${layout} [${m}, ${n}, ${k}] ${device.info.variant}, ${threads} thread(s) | p50 ${x.ms.toFixed(2)} ms${spreadText(x.spread)} | ${gflops(x.ms)} GFLOPS, bare ${gflops(y.ms)} | ${timesText(ratio.value)} bare cblas_sgemm`,
  )
  context.metric(
    `blas/${layout}/${m}x${n}x${k}/${threads}_threads/ratio_vs_openblas`,
    ratio.value,
    ratio.spread,
  )
  return ratio.value
}

/** `blas/ratio_vs_openblas` is the smallest, over the numbers of threads, of the geometric mean over the
 *  shapes. */
export async function runBlas(context: GroupContext): Promise<number> {
  const shapes = SHAPES.filter(([m, n, k, layout]) => `${layout} ${m}x${n}x${k}`.includes(context.filter))
  if (shapes.length === 0) return 0
  const means: number[] = []
  for (const threads of THREADS) {
    let device: Device
    try {
      device = await cpu({ threads, gemm: openBlas({ path: 'libopenblas.so.0' }), strict: true })
    } catch (error) {
      if (!(error instanceof BackendError)) throw error
      context.skip('blas/openblas', error.message)
      return 0
    }
    const native = openNative()
    context.peer('openblas', { version: native.version, environment: {} })
    const ratios: number[] = []
    for (const shape of shapes) ratios.push(await ratioOf(device, native, shape, context))
    await device.close()
    const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length)
    context.metric(`blas/${threads}_threads/ratio_vs_openblas`, mean)
    context.line(
      `${threads} thread(s): ${timesText(mean)} bare cblas_sgemm, geometric mean of ${ratios.length} shapes, worst ${timesText(Math.min(...ratios))}`,
    )
    means.push(mean)
  }
  if (shapes.length === SHAPES.length) context.metric('blas/ratio_vs_openblas', Math.min(...means))
  return shapes.length
}
