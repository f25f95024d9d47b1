import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readMetrics } from '@tau/train'
import { NODE } from '../peers/program.ts'

/** One training of the demo. */
export interface DemoRun {
  readonly optimizer: string
  readonly lr: number
  readonly seed: number
  readonly steps: number
}

/** The result of a run. */
export interface DemoResult extends DemoRun {
  /** Nats per token of all held-out text after the last step; undefined: the run diverged. */
  readonly valLoss: number | undefined
  /** The same in bits per byte. */
  readonly valBpb: number | undefined
  readonly seconds: number
}

const CLI = fileURLToPath(new URL('../../apps/trainer/src/cli.ts', import.meta.url))
/** As in the demo, the rate at the end is a tenth of the peak. */
const MIN_LR_SHARE = 0.1

/** Trains the demo's model on the demo's text in `folder`. If a run has ended there before, reads its result
 *  instead. */
export async function trainDemo(run: DemoRun, folder: string): Promise<DemoResult> {
  const { optimizer, lr, seed, steps } = run
  const out = join(folder, `${optimizer}-lr${lr}-seed${seed}-steps${steps}`)
  const before = await resultOf(run, out)
  if (before) return before
  const settings = { optimizer, lr, minLr: lr * MIN_LR_SHARE, seed, steps }
  // Only the loss at the end counts, on all held-out text.
  const quiet = { evalEvery: 0, headsEvery: 0, sampleEvery: 0, checkpointEvery: 0, evalTokens: 'none' }
  const flags = Object.entries({ ...settings, ...quiet }).flatMap(([key, value]) => [
    `--train.${key}`,
    String(value),
  ])
  const failure = await tau(['demo', ...flags, '--out', out, '--overwrite'])
  const result = await resultOf(run, out)
  if (!result) throw new Error(`bench: tau demo must train ${out}, got ${failure ?? 'a run without an end'}`)
  return result
}

/** If the command failed, what it wrote to stderr. */
function tau(args: readonly string[]): Promise<string | undefined> {
  const [program, ...options] = NODE.command
  return new Promise((resolve) =>
    execFile(program, [...options, CLI, ...args], { maxBuffer: 2 ** 26 }, (error, _, stderr) =>
      resolve(error ? stderr.trim().split('\n').at(-1) : undefined),
    ),
  )
}

/** The result of a run that finished or diverged in `out`; undefined if none did. */
async function resultOf(run: DemoRun, out: string): Promise<DemoResult | undefined> {
  const path = join(out, 'metrics.jsonl')
  const records = existsSync(path) ? await readMetrics(path) : []
  const end = records.findLast((record) => record.kind === 'end')
  if (!end || end.reason === 'interrupted') return undefined
  const last = records.findLast((record) => record.kind === 'eval')
  const isWhole = end.reason === 'finished' && last?.step === run.steps
  return {
    ...run,
    valLoss: isWhole ? last.valLoss : undefined,
    valBpb: isWhole ? last.valBpb : undefined,
    seconds: end.seconds,
  }
}
