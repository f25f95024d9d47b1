import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onDevices } from '../harness/devices.ts'
import { timeText } from '../harness/lines.ts'
import type { GroupContext } from '../registry.ts'
import { type ContextTime, runContexts } from './contexts.ts'
import { runModels, type TokenTime } from './model-runs.ts'
import { kvcachePlots } from './plots.ts'
import { paperMarkdown, paperTable, summarize, toCsv } from './results.ts'

const FOLDER = 'bench-kvcache'
/** The names that a filter chooses from. */
const PARTS = ['kvcache/contexts', 'kvcache/models'] as const
/** Time between two reports of progress. */
const REPORT_MS = 15_000

/** A CSV file. Rows are added as they come, so measurements survive whatever ends the run. */
function csvFile(path: string): (row: object) => void {
  let started = false
  return (row) => {
    if (started) appendFileSync(path, `${Object.values(row).join(',')}\n`)
    else writeFileSync(path, toCsv([row]))
    started = true
  }
}

/** The paper's experiment, and contexts far beyond it, on one thread. Writes tokens.csv and contexts.csv
 *  while it runs, then runs.csv, paper.md, results.json and the plots. */
export async function runKvcache(context: GroupContext): Promise<number> {
  const parts = PARTS.filter((name) => name.includes(context.filter))
  if (parts.length === 0) return 0
  const { line, metric, quick } = context
  const folder = context.out ?? FOLDER
  mkdirSync(folder, { recursive: true })
  line(
    quick
      ? 'kvcache --quick: 16 of 2048 passes without a cache, contexts to 131 072: about 4 minutes'
      : 'kvcache: every pass without a cache is timed, about 3 hours; --quick takes about 4 minutes',
  )
  line('random weights of tau-30m: 6 layers, 6 heads, width 384, vocabulary 30 522')
  const tokens: TokenTime[] = []
  const contexts: ContextTime[] = []
  await onDevices([1], context, async ([device]) => {
    const addContext = csvFile(join(folder, 'contexts.csv'))
    const noteContext = (time: ContextTime) => {
      contexts.push(time)
      addContext(time)
      const { cache, context: length, p50Ms, p95Ms, cacheBytes } = time
      line(
        `kvcache context ${length} ${cache} | p50 ${timeText(p50Ms)} | p95 ${timeText(p95Ms)} | cache ${(cacheBytes / 2 ** 20).toFixed(1)} MiB`,
      )
      metric(`kvcache/context_${length}/${cache}/p50_ms`, p50Ms)
      metric(`kvcache/context_${length}/${cache}/cache_bytes`, cacheBytes)
    }
    if (parts.includes('kvcache/contexts')) await runContexts(device, quick, noteContext)
    if (!parts.includes('kvcache/models')) return
    const addToken = csvFile(join(folder, 'tokens.csv'))
    const start = performance.now()
    let reported = start
    await runModels(device, {
      quick,
      onToken(time, share) {
        tokens.push(time)
        addToken(time)
        const now = performance.now()
        if (now - reported < REPORT_MS) return
        reported = now
        const left = ((now - start) * (1 - share)) / share / 60_000
        line(`kvcache ${(100 * share).toFixed(0)} % of the passes, about ${left.toFixed(1)} minutes left`)
      },
    })
  })
  const runs = summarize(tokens)
  const paper = paperTable(runs)
  for (const { mode, generated, ours } of paper)
    for (const { prompt, ratio } of ours)
      metric(`kvcache/${mode}/prompt_${prompt}/generated_${generated}/tau_over_dot_p50`, ratio)
  for (const run of runs) {
    const name = `kvcache/${run.mode}/prompt_${run.prompt}/generated_${run.generated}/${run.attention}`
    metric(`${name}/p50_ms`, run.p50Ms)
    metric(`${name}/p95_ms`, run.p95Ms)
    metric(`${name}/p99_ms`, run.p99Ms)
    metric(`${name}/first_token_ms`, run.firstTokenMs)
  }
  writeFileSync(
    join(folder, 'results.json'),
    `${JSON.stringify({ quick, runs, contexts, paper }, null, 2)}\n`,
  )
  kvcachePlots(folder, contexts, tokens)
  if (runs.length > 0) {
    writeFileSync(join(folder, 'runs.csv'), toCsv(runs))
    writeFileSync(join(folder, 'paper.md'), paperMarkdown(paper))
    for (const text of paperMarkdown(paper).trimEnd().split('\n')) line(text)
  }
  line(`kvcache: written to ${folder}`)
  return parts.length
}
