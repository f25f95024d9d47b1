import { type AttentionKind, findAttentionKind } from '@tau/model'
import type { RunRecord } from '@tau/train'
import { bestEval } from '../figures.ts'
import type { History } from '../history.ts'
import { smooth } from '../thin.ts'
import { duration } from '../time.ts'
import { figure, type Tile } from './shell.ts'

/** Texts and numbers in the head of the page. */
export interface Summary {
  readonly title: string
  readonly preset: string | undefined
  /** The kinds of attention of the heads. Empty if the run does not name them, or if they are not registered
   *  here. */
  readonly kinds: readonly AttentionKind[]
  readonly lead: string
  readonly status: { readonly name: string; readonly text: string }
  readonly fallbacks: readonly string[]
  readonly tiles: readonly Tile[]
}

/** The value at a path inside parsed JSON. Undefined if there is none. */
function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined
    here = Object.entries(here).find(([name]) => name === key)?.[1]
  }
  return here
}

export function summaryOf(history: History): Summary {
  const run = history.runs.at(-1)
  const kinds = kindsOf(run?.config)
  const preset = at(run?.config, 'model', 'preset')
  return {
    title: kinds.at(0)?.architecture ?? 'Training run',
    preset: typeof preset === 'string' ? preset : undefined,
    kinds,
    lead: leadOf(history, kinds),
    status: statusOf(history),
    fallbacks: run?.device?.fallbacks ?? [],
    tiles: tilesOf(history),
  }
}

/** The registered kinds of attention in a configuration, each once. They are the kind of the model, or those
 *  of its groups of heads. The model's own comes first. */
function kindsOf(config: unknown): AttentionKind[] {
  const own = at(config, 'model', 'attention')
  const layers = at(config, 'model', 'layers')
  const groups: readonly unknown[] = Array.isArray(layers) ? layers.flat() : [{}]
  const names = new Set(groups.map((group) => at(group, 'attention') ?? own))
  const ordered = [...names].sort((a, b) => Number(b === own) - Number(a === own))
  return ordered.flatMap((name) => findAttentionKind(String(name)) ?? [])
}

function leadOf({ runs }: History, kinds: readonly AttentionKind[]): string {
  const run = runs.at(-1)
  if (run === undefined)
    return 'The metrics have no run record, so model, device and configuration are unknown.'
  return [
    kinds.length > 0 ? kinds.map(({ about }) => about).join(' and ') : undefined,
    shapeText(run),
    `${count(run.parameters)} parameters`,
    `trained on ${run.device.backend} (${run.device.variant}, ${threads(run.device.threads)})`,
    `started ${when(runs[0].time)}${runs.length > 1 ? `, resumed ${times(runs.length - 1)}` : ''}`,
  ]
    .filter((part) => part !== undefined)
    .join(' · ')
}

function shapeText({ config }: RunRecord): string | undefined {
  const [layers, heads, width, length] = ['nLayer', 'nHead', 'nEmbd', 'seqLen'].map((key) =>
    at(config, 'model', key),
  )
  if ([layers, heads, width, length].some((value) => typeof value !== 'number')) return undefined
  return `${layers} layers × ${heads} heads, width ${width}, context ${length}`
}

function statusOf({ end, steps }: History): Summary['status'] {
  if (end === undefined) {
    const last = steps.at(-1)
    return {
      name: 'open',
      text: last === undefined ? 'no steps yet' : `no end record · last step ${last.step}`,
    }
  }
  const text = { finished: 'finished', interrupted: 'interrupted, can be resumed', diverged: 'diverged' }[
    end.reason
  ]
  return { name: end.reason, text: `${text ?? end.reason} · step ${end.step}` }
}

function tilesOf({ steps, evals, runs, seconds, end }: History): Tile[] {
  const tiles: Tile[] = []
  const lastEval = evals.at(-1)
  const best = bestEval(evals)
  if (lastEval !== undefined && best !== undefined) {
    const small =
      best === lastEval
        ? `lowest, at step ${best.step}`
        : `lowest ${figure(best.valBpb)} at step ${best.step}`
    tiles.push({ label: 'Validation, bits/byte', value: figure(lastEval.valBpb), small })
    const perplexity = `perplexity ${figure(Math.exp(lastEval.valLoss))}`
    tiles.push({ label: 'Validation, nats/token', value: figure(lastEval.valLoss), small: perplexity })
  }
  const last = steps.at(-1)
  if (last === undefined) return tiles
  const loss = smooth(steps.map((record) => record.loss)).at(-1) ?? Number.NaN
  tiles.push({
    label: 'Training, nats/token',
    value: figure(loss),
    small: `smoothed; first ${figure(steps[0].loss)}`,
  })
  const trainTokens = runs.at(-1)?.trainTokens ?? 0
  const epochs = trainTokens > 0 ? `${figure(last.tokens / trainTokens)} × the text` : 'since the start'
  tiles.push({ label: 'Tokens seen', value: count(last.tokens), small: epochs })
  const speeds = steps.map((record) => record.tokensPerSec).sort((a, b) => a - b)
  const median = speeds[speeds.length >> 1]
  tiles.push({ label: 'Tokens per second', value: count(median), small: 'median of the steps' })
  if (end !== undefined)
    tiles.push({ label: 'Time', value: duration(seconds), small: `${last.step.toLocaleString('en')} steps` })
  return tiles
}

function count(value: number): string {
  if (!Number.isFinite(value)) return '–'
  if (value >= 1e9) return `${(value / 1e9).toPrecision(3)} B`
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`
  return Math.round(value).toLocaleString('en')
}

const threads = (n: number) => (n === 1 ? '1 thread' : `${n} threads`)
const times = (n: number) => (n === 1 ? 'once' : `${n} times`)

export function when(time: string): string {
  const date = new Date(time)
  return Number.isNaN(date.getTime()) ? time : `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
