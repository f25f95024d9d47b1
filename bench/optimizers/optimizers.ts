import { mkdirSync } from 'node:fs'
import type { GroupContext } from '../registry.ts'
import { type DemoResult, trainDemo } from './runs.ts'
import { bestOf, markdownTable, pairedDifference, type Setting, settingsOf } from './table.ts'

const FOLDER = 'bench-optimizers'
const OPTIMIZERS = ['adamw', 'muon'] as const
const RATES = [0.005, 0.01, 0.02, 0.04] as const
const SEEDS = [1, 2, 3] as const
/** Steps of the demo. */
const STEPS = 600

/** Muon against AdamW. Each trains the demo at four learning rates with three seeds, and the best of each are
 *  compared. Runs that have ended in the folder are read and not repeated, so an interrupted table goes on
 *  where it was. */
export async function runOptimizers(context: GroupContext): Promise<number> {
  const { filter, quick, out, line, metric } = context
  const folder = out ?? FOLDER
  mkdirSync(folder, { recursive: true })
  const steps = quick ? 3 : STEPS
  const runs = OPTIMIZERS.flatMap((optimizer) =>
    (quick ? RATES.slice(0, 2) : RATES).flatMap((lr) =>
      (quick ? SEEDS.slice(0, 1) : SEEDS).map((seed) => ({ optimizer, lr, seed, steps })),
    ),
  ).filter(({ optimizer, lr, seed }) => `optimizers/${optimizer}/lr${lr}/seed${seed}`.includes(filter))
  if (runs.length === 0) return 0
  line(`optimizers: ${runs.length} runs of ${steps} steps each; all 24 take about an hour on two cores`)
  const results: DemoResult[] = []
  for (const [i, run] of runs.entries()) {
    const result = await trainDemo(run, folder)
    results.push(result)
    const { optimizer, lr, seed, valBpb, seconds } = result
    const text = valBpb === undefined ? 'diverged' : `${valBpb.toFixed(4)} bits per byte`
    line(
      `optimizers ${i + 1} of ${runs.length} ${optimizer} lr ${lr} seed ${seed} | ${text} | ${seconds.toFixed(0)} s`,
    )
  }
  const settings = settingsOf(results)
  for (const row of markdownTable(settings)) line(row)
  for (const { optimizer, lr, mean } of settings)
    if (mean !== undefined) metric(`optimizers/${optimizer}/lr${lr}/val_bpb`, mean)
  reportBest(settings, context)
  return runs.length
}

/** The best setting of each optimizer, and how they differ seed by seed. */
function reportBest(settings: readonly Setting[], { quick, line, metric }: GroupContext): void {
  const [adamw, muon] = OPTIMIZERS.map((optimizer) => bestOf(settings, optimizer))
  for (const best of [adamw, muon]) {
    if (best?.mean === undefined) continue
    const { optimizer, lr, mean, seconds } = best
    metric(`optimizers/${optimizer}/best_lr`, lr)
    metric(`optimizers/${optimizer}/best_val_bpb`, mean)
    metric(`optimizers/${optimizer}/seconds`, seconds)
    if (!quick && (lr === RATES[0] || lr === RATES.at(-1)))
      line(
        `optimizers ${optimizer}: the best rate, ${lr}, is at an end of those tried; a better one may lie beyond`,
      )
  }
  if (!adamw || !muon || adamw.valBpb.length !== muon.valBpb.length) return
  const { mean, standardError } = pairedDifference(muon, adamw)
  line(
    `optimizers muon at ${muon.lr} − adamw at ${adamw.lr} | ${mean.toFixed(4)} ± ${standardError.toFixed(4)} bits per byte (standard error over seeds)`,
  )
  metric('optimizers/muon_minus_adamw/val_bpb', mean)
  metric('optimizers/muon_minus_adamw/standard_error', standardError)
}
