import { ceilings } from '../harness/ceilings.ts'
import { onDevices } from '../harness/devices.ts'
import { benchLine, itemRate, type Rate, rate, shareText, timesText } from '../harness/lines.ts'
import { median, type Ratio, race, ratioOf, type Timing, timingOf } from '../harness/race.ts'
import type { Absent } from '../peers/peer.ts'
import { PYTHON_LEAN } from '../peers/program.ts'
import type { GroupContext } from '../registry.ts'
import { type ModelRun, type ModelTask, runOurs, runTorch } from './processes.ts'

/** Both sides use two cores, as an ordinary machine has. */
const THREADS = 2
/** The names of our models in metrics: λ-distance attention by WebAssembly alone, λ-distance attention with
 *  products by @tau/blas, and dot-product attention. */
const OURS = {
  'tau-30m': { attention: 'tau', blas: false },
  'tau-30m-blas': { attention: 'tau', blas: true },
  'gpt-30m': { attention: 'dot', blas: false },
} as const
type Model = keyof typeof OURS | 'torch-30m'
const MODELS: readonly Model[] = ['tau-30m', 'gpt-30m', 'torch-30m']

interface Case {
  readonly length: number
  readonly models: readonly Model[]
  /** Processes of each model, in turns. */
  readonly rounds: number
  readonly warmUp: number
  readonly steps: number
}

const TRAIN: readonly Case[] = [
  { length: 1024, models: [...MODELS, 'tau-30m-blas'], rounds: 3, warmUp: 2, steps: 3 },
  { length: 2048, models: MODELS, rounds: 1, warmUp: 1, steps: 3 },
  { length: 4096, models: MODELS, rounds: 1, warmUp: 1, steps: 2 },
  { length: 8192, models: MODELS, rounds: 1, warmUp: 1, steps: 1 },
  { length: 16_384, models: ['tau-30m'], rounds: 1, warmUp: 1, steps: 1 },
  { length: 32_768, models: ['tau-30m'], rounds: 1, warmUp: 1, steps: 1 },
]
const DECODE: Case = { length: 1024, models: MODELS, rounds: 3, warmUp: 8, steps: 64 }

interface Entry {
  readonly label: string
  /** Of all steps of all rounds. */
  readonly timing: Timing
  /** The median of each round. Models are compared by these, round by round. */
  readonly rounds: readonly number[]
  readonly peakBytes: number
  readonly parameters: number
}

const start = (model: Model, task: ModelTask): Promise<ModelRun | Absent> =>
  model === 'torch-30m' ? runTorch(task) : runOurs({ ...task, ...OURS[model] })

/** PyTorch's peak memory with malloc's default settings, because the settings for speed cost memory. It runs
 *  two steps: the first makes the optimizer's moments, the second has them beside its activations. If the run
 *  is absent, the reason is noted. */
async function leanPeaks(
  task: Omit<ModelTask, 'warmUp' | 'steps'>,
  { skip }: GroupContext,
): Promise<number[]> {
  const run = await runTorch({ ...task, warmUp: 1, steps: 1 }, PYTHON_LEAN)
  if (!('absent' in run)) return [run.peakBytes]
  skip(`${task.mode}/torch-30m/T${task.length}, memory with malloc as it comes`, run.absent)
  return []
}

/** Runs every model of a case in processes of its own, one after the other, round by round. Models that
 *  cannot run are noted. */
async function measure(
  mode: ModelTask['mode'],
  { length, models, rounds, warmUp, steps }: Case,
  context: GroupContext,
): Promise<Map<Model, Entry>> {
  const { quick, skip, peer } = context
  const runs = new Map<Model, ModelRun[]>()
  const absent = new Set<Model>()
  for (let round = 0; round < (quick ? 1 : rounds); round++)
    for (const model of models) {
      if (absent.has(model)) continue
      const run = await start(model, { mode, length, threads: THREADS, warmUp, steps })
      if ('absent' in run) {
        absent.add(model)
        skip(`${mode}/${model}/T${length}`, run.absent)
      } else runs.set(model, [...(runs.get(model) ?? []), run])
      if ('note' in run && run.note) peer('torch', run.note)
    }
  const lean = runs.has('torch-30m') ? await leanPeaks({ mode, length, threads: THREADS }, context) : []
  return new Map(
    Array.from(runs, ([model, list]): [Model, Entry] => {
      const [{ label, parameters }] = list
      return [
        model,
        {
          ...{ label, parameters },
          timing: timingOf(
            label,
            list.flatMap(({ ms }) => ms),
          ),
          rounds: list.map(({ ms }) => median(ms)),
          peakBytes:
            model === 'torch-30m' && lean.length > 0
              ? lean[0]
              : Math.max(...list.map(({ peakBytes }) => peakBytes)),
        },
      ]
    }),
  )
}

const speedupOver = (theirs: Entry, ours: Entry): Ratio =>
  ratioOf(theirs.rounds.map((ms, round) => ms / ours.rounds[round]))

const megabytes = (bytes: number): string => `peak ${(bytes / 1e6).toFixed(0)} MB`

/** 10⁹ operations or bytes a second that two threads reach at best on this machine now. */
async function limit(kind: 'flops' | 'bytes', context: GroupContext): Promise<number> {
  const { multiplyAdd, copy } = await ceilings()
  const bench = kind === 'flops' ? multiplyAdd : copy(2 ** 28)
  let value = 0
  await onDevices([THREADS], context, async ([device]) => {
    const { run, check } = bench.prepare(device)
    await check()
    const [timing] = await race([{ label: bench.name, run }], { rounds: 7 })
    value = rate(timing, bench.work).value
  })
  return value
}

interface Wording {
  readonly name: string
  readonly items: number
  readonly work: Rate
  readonly of: string
  readonly limit: number
}

function reportEntry(
  { name, items, work, of, limit: best }: Wording,
  { timing, peakBytes }: Entry,
  { line, metric }: GroupContext,
): void {
  const tokens = itemRate(timing, { count: items, unit: 'tokens' })
  line(
    benchLine(name, timing, tokens, [
      `${work.value.toFixed(1)} ${work.unit}`,
      shareText(work.value / best, of),
      megabytes(peakBytes),
    ]),
  )
  metric(`${name}/ms`, timing.ms, timing.spread)
  metric(`${name}/${tokens.metric}`, tokens.value, timing.spread)
  metric(`${name}/peak_bytes`, peakBytes)
}

/** Training steps of 30 million parameters, against PyTorch on as many threads. From 16 384 tokens on, ours
 *  run alone. Returns how many lengths the filter left. */
export async function trainAgainstTorch(context: GroupContext): Promise<number> {
  const cases = TRAIN.filter(({ length }) => `train/tau-30m/T${length}`.includes(context.filter))
  const wanted = context.quick ? cases.slice(0, 1) : cases
  const speeds = new Map<number, number>()
  for (const entry of wanted) {
    const { length } = entry
    const best = await limit('flops', context)
    const entries = await measure('train', entry, context)
    for (const [model, found] of entries) {
      const work = rate(found.timing, { flops: 6 * found.parameters * length })
      const name = `train/${model}/T${length}`
      reportEntry({ name, items: length, work, of: 'multiply-add', limit: best }, found, context)
    }
    compare(`train/tau-30m/T${length}`, entries, true, context)
    const tau = entries.get('tau-30m')
    if (tau) speeds.set(length, (1000 * length) / tau.timing.ms)
  }
  const [short, long] = [speeds.get(1024), speeds.get(32_768)]
  if (short !== undefined && long !== undefined) {
    context.line(`train tau-30m tokens per second, T32768 over T1024 | ${timesText(long / short)}`)
    context.metric('train/tau-30m/tokens_per_s_T32768_over_T1024', long / short)
  }
  return wanted.length
}

/** Tokens behind a context of 1024, against PyTorch on as many threads. Bytes are those of the weights: a
 *  token reads all of them. */
export async function decodeAgainstTorch(context: GroupContext): Promise<number> {
  const name = 'decode/tau-30m'
  if (!name.includes(context.filter)) return 0
  const best = await limit('bytes', context)
  const entries = await measure('decode', DECODE, context)
  for (const [model, found] of entries) {
    const work = rate(found.timing, { bytes: 4 * found.parameters })
    reportEntry({ name: `decode/${model}`, items: 1, work, of: 'memory.copy', limit: best }, found, context)
  }
  compare(name, entries, false, context)
  return 1
}

function compare(
  name: string,
  entries: ReadonlyMap<Model, Entry>,
  memory: boolean,
  { line, metric }: GroupContext,
): void {
  const [tau, torch] = [entries.get('tau-30m'), entries.get('torch-30m')]
  if (!tau || !torch) return
  const ratio = speedupOver(torch, tau)
  const peaks = tau.peakBytes / torch.peakBytes
  line(
    `${name.replaceAll('/', ' ')} against PyTorch | ${timesText(ratio.value)} as fast | ${timesText(peaks)} its peak memory`,
  )
  metric(`${name}/ratio_vs_torch`, ratio.value, ratio.spread)
  if (memory) metric(`${name}/peak_memory_ratio_vs_torch`, peaks)
  const blas = entries.get('tau-30m-blas')
  if (!blas) return
  const withBlas = speedupOver(torch, blas)
  line(`${name.replaceAll('/', ' ')} with BLAS against PyTorch | ${timesText(withBlas.value)} as fast`)
  metric(`${name}/ratio_vs_torch_blas`, withBlas.value, withBlas.spread)
}
