import { clock, type History, lossChart, stepCharts } from '@tau/report'
import type { StepRecord } from '@tau/train'
import { LiveChart } from './live-chart.ts'

/** The mean time of this many last steps predicts the time left. Their mean speed is shown. */
const TIMED_STEPS = 50
const SHOWN_SAMPLES = 20

const get = (id: string) => document.querySelector<HTMLElement>(`#${id}`)!
const charts = { loss: new LiveChart(get('loss')), speed: new LiveChart(get('speed')) }

const element = (name: string, className: string, ...content: (string | Node)[]): HTMLElement => {
  const made = document.createElement(name)
  if (className !== '') made.className = className
  made.append(...content)
  return made
}

/** Shows notes under the form. */
export const showNotes = (notes: readonly string[]): void =>
  get('notes').replaceChildren(...notes.map((note) => element('p', 'note', note)))

export const showStatus = (text: string): void => {
  get('status').textContent = text
}

export const showError = (text: string | undefined): void => {
  get('error').hidden = text === undefined
  get('error').textContent = text ?? ''
}

/** Shows the run so far. `steps` is the number of steps that the user asked for. */
export function showRun(history: History, steps: number): void {
  get('run').hidden = history.runs.length === 0
  const run = history.runs.at(-1)
  if (!run) return
  const { backend, variant, adapter, threads, reason, fallbacks } = run.device
  const place = adapter ?? `${threads} ${threads === 1 ? 'thread' : 'threads'}`
  const why = reason === undefined ? '' : `, because ${reason}`
  const size = `${(run.parameters / 1e6).toFixed(2)} M parameters, ${run.trainTokens.toLocaleString('en')} tokens to learn from`
  get('device').replaceChildren(element('b', '', `${backend} · ${variant} · ${place}`), `${why}. ${size}.`)
  showNotes(fallbacks)
  get('tiles').replaceChildren(...tilesOf(history, steps))
  const loss = lossChart(history)
  if (loss) charts.loss.draw({ ...loss, height: 280 })
  const speed = stepCharts(history).find(({ title }) => title === 'Tokens per second')
  get('speed').hidden = speed === undefined
  if (speed) charts.speed.draw({ ...speed, height: 150 })
  showSamples(history)
}

function tilesOf({ steps: records, evals, runs }: History, steps: number): HTMLElement[] {
  const last = records.at(-1)
  const recent = records.slice(-TIMED_STEPS)
  const evaluation = evals.at(-1)
  const seconds = records.reduce((sum, { stepMs }) => sum + stepMs, 0) / 1000
  const speed = mean(recent, ({ tokensPerSec }) => tokensPerSec)
  const left = (mean(recent, ({ stepMs }) => stepMs) * (steps - (last?.step ?? 0))) / 1000
  const epochs = (last?.tokens ?? 0) / (runs.at(-1)?.trainTokens ?? 1)
  return [
    tile('Step', last ? last.step.toLocaleString('en') : '0', `of ${steps.toLocaleString('en')}`),
    tile(
      'Loss, nats/token',
      last ? last.loss.toFixed(3) : '–',
      last ? `first ${records[0].loss.toFixed(3)}` : 'no step yet',
    ),
    tile(
      'Validation, bits/byte',
      evaluation ? evaluation.valBpb.toFixed(3) : '–',
      evaluation ? `at step ${evaluation.step}` : 'not yet',
    ),
    tile('Tokens/s', last ? Math.round(speed).toLocaleString('en') : '–', `${epochs.toFixed(2)} × the text`),
    tile('Time left', last ? clock(left) : '–', `${clock(seconds)} in steps`),
  ]
}

const mean = (records: readonly StepRecord[], read: (record: StepRecord) => number): number =>
  records.reduce((sum, record) => sum + read(record), 0) / records.length

const tile = (label: string, value: string, small: string): HTMLElement =>
  element(
    'div',
    'tile',
    element('dt', '', label),
    element('dd', 'value', value),
    element('dd', 'small', small),
  )

/** Shows the samples, the newest first. */
function showSamples({ samples }: History): void {
  const shown = samples.slice(-SHOWN_SAMPLES).toReversed()
  const figures = shown.map(({ step, prompt, text }) =>
    element(
      'figure',
      'panel sample',
      element('figcaption', '', `Step ${step}`),
      element('p', '', element('mark', '', prompt), text),
    ),
  )
  get('samples').replaceChildren(...figures)
}
