import type { DemoResult } from './runs.ts'

/** The runs of one optimizer at one learning rate. */
export interface Setting {
  readonly optimizer: string
  readonly lr: number
  /** Bits per byte by seed, in the order of the seeds; undefined if a run diverged. */
  readonly valBpb: readonly (number | undefined)[]
  /** Mean over seeds; undefined if a run diverged. */
  readonly mean: number | undefined
  /** Standard deviation over seeds. */
  readonly deviation: number | undefined
  /** Mean seconds of a run. */
  readonly seconds: number
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length

/** Sample standard deviation; 0 of one value. */
function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values)
  return Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / Math.max(1, values.length - 1))
}

const isNumber = (value: number | undefined): value is number => value !== undefined

/** Results by optimizer and learning rate, in the order of the runs. */
export function settingsOf(results: readonly DemoResult[]): Setting[] {
  const groups = new Map<string, DemoResult[]>()
  for (const result of results) {
    const key = `${result.optimizer} ${result.lr}`
    groups.set(key, [...(groups.get(key) ?? []), result])
  }
  return Array.from(groups.values(), (runs) => {
    const valBpb = runs.map((run) => run.valBpb)
    const numbers = valBpb.filter(isNumber)
    const isWhole = numbers.length === runs.length
    return {
      optimizer: runs[0].optimizer,
      lr: runs[0].lr,
      valBpb,
      mean: isWhole ? meanOf(numbers) : undefined,
      deviation: isWhole ? deviationOf(numbers) : undefined,
      seconds: meanOf(runs.map(({ seconds }) => seconds)),
    }
  })
}

/** The setting of an optimizer with the lowest mean; undefined if runs diverged at every learning rate. */
export const bestOf = (settings: readonly Setting[], optimizer: string): Setting | undefined =>
  settings
    .filter((setting) => setting.optimizer === optimizer && setting.mean !== undefined)
    .reduce<Setting | undefined>(
      (best, one) => (best && (best.mean ?? 0) <= (one.mean ?? 0) ? best : one),
      undefined,
    )

/** Mean of a − b over equal seeds, and its standard error. */
export function pairedDifference(a: Setting, b: Setting): { mean: number; standardError: number } {
  const differences = a.valBpb.map((value, i) => (value ?? Number.NaN) - (b.valBpb[i] ?? Number.NaN))
  return {
    mean: meanOf(differences),
    standardError: deviationOf(differences) / Math.sqrt(differences.length),
  }
}

const bpb = (value: number | undefined): string => value?.toFixed(4) ?? 'diverged'

/** A Markdown table: a row for each setting, the best of each optimizer in bold. */
export function markdownTable(settings: readonly Setting[]): string[] {
  const seeds = settings[0].valBpb.map((_, i) => `seed ${i + 1}`)
  const rows = settings.map((setting) => {
    const { optimizer, lr, valBpb, mean, deviation, seconds } = setting
    const isBest = bestOf(settings, optimizer) === setting
    const text = mean === undefined ? 'diverged' : `${bpb(mean)} ± ${bpb(deviation)}`
    return [
      optimizer,
      String(lr),
      ...valBpb.map(bpb),
      isBest ? `**${text}**` : text,
      `${seconds.toFixed(0)} s`,
    ]
  })
  const header = ['optimizer', 'learning rate', ...seeds, 'mean', 'time']
  return [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
}
