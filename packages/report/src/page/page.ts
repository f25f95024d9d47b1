import { type AttentionKind, findAttentionKind, type Measure, resolveConfig } from '@tau/model'
import type { MetricsRecord, SampleRecord } from '@tau/train'
import { driftChart, lossChart, MEASURE_COLORS, meanOf, stepCharts } from '../figures.ts'
import { type History, historyOf } from '../history.ts'
import { smooth, spread } from '../thin.ts'
import { distributionCharts, HEAD_COLORS, headColor, parameterCharts } from './head-figures.ts'
import { html, type Markup } from './html.ts'
import { chartPlaces, figure, type Place, pageMarkup, tableMarkup, tilesMarkup } from './shell.ts'
import { type Summary, summaryOf, when } from './summary.ts'

const SHOWN_SAMPLES = 40

/** One self-contained HTML page about a run. The run may still be running, or may have been killed or
 *  resumed. All text in the records is escaped. */
export function renderReport(records: readonly MetricsRecord[]): string {
  const history = historyOf(records)
  const summary = summaryOf(history)
  // If the run does not name its kind of attention, the default kind is assumed.
  const kinds =
    summary.kinds.length > 0
      ? summary.kinds
      : [findAttentionKind(resolveConfig().attention)].flatMap((kind) => kind ?? [])
  const { charts, place } = chartPlaces()
  const body = html`<main>
${headMarkup(summary, history)}
${lossSection(history, place)}
${shownKinds(kinds).map((kind, i) => kindSection(kind, i, history, place))}
${parameterSection(
  kinds.flatMap(({ scalars }) => scalars),
  history,
  place,
)}
${sampleSection(history.samples)}
${configSection(history)}
<footer>Drag across a chart to zoom, double-click to see all of it again, click a legend entry to hide it.${
    history.resumes.length > 0 ? ' Dashed lines mark the steps at which the run was resumed.' : undefined
  }</footer>
</main>`
  return pageMarkup({ title: `${summary.title} · report`, body, charts })
}

function headMarkup(summary: Summary, { runs }: History): Markup {
  return html`<header>
<p class="eyebrow">Tau training report</p>
<div class="title"><h1>${summary.title}${
    summary.preset === undefined ? undefined : html`, ${summary.preset} preset`
  }</h1>${
    summary.kinds.length === 0
      ? undefined
      : html`<span class="pill">attention: ${summary.kinds.map(({ name }) => name).join(', ')}</span>`
  }<span class="pill ${summary.status.name}">${summary.status.text}</span></div>
<p class="lead">${summary.lead}</p>
${summary.fallbacks.map((fallback) => html`<p class="note">Fallback: ${fallback}</p>`)}
${runs.length > 1 ? html`<p class="note">${runs.slice(1).map((run) => html`Resumed at step ${run.step}, ${when(run.time)}. `)}</p>` : undefined}
${tilesMarkup(summary.tiles)}
</header>`
}

function lossSection(history: History, place: Place): Markup {
  const loss = lossChart(history)
  const charts = stepCharts(history)
  return html`<section><h2>Loss and optimisation</h2>
${loss === undefined ? html`<p class="about">No step or evaluation has been recorded.</p>` : place('loss', loss)}
${charts.length === 0 ? undefined : html`<div class="grid">${charts.map((chart, i) => place(`step-${i}`, chart))}</div>`}
</section>`
}

/** The kinds with something to show. If there is none, one of them says so. */
function shownKinds(kinds: readonly AttentionKind[]): readonly AttentionKind[] {
  const shown = kinds.filter(({ distributions }) => distributions.length > 0)
  return shown.length > 0 ? shown : kinds.slice(0, 1)
}

/** Section with the recorded values of a kind of attention. `index` keeps the ids of several kinds
 *  distinct. */
function kindSection(kind: AttentionKind, index: number, history: History, place: Place): Markup {
  const { distributions, report } = kind
  const { heading, about } = report
  if (distributions.length === 0)
    return html`<section><h2>${heading}</h2><p class="about">${about}</p></section>`
  const drift = driftChart(history, kind)
  const layers = distributionCharts(history, distributions)
  if (drift === undefined)
    return html`<section><h2>${heading}</h2><p class="about">No ${heading} has been recorded.</p></section>`
  const id = index === 0 ? '' : `-${index}`
  return html`<section><h2>${heading}</h2>
<p class="about">${about} ${driftText(kind, history)}</p>
${place(`drift${id}`, drift)}
<h2>Distribution of ${heading}</h2>
<p class="about">Per layer and head over the steps: median, middle half (25–75 %, darker) and 5–95 % (lighter). All charts have the same scale.</p>
<div data-group><div class="key">${distributions.map(({ title }, i) => keyButton(MEASURE_COLORS[i % MEASURE_COLORS.length], title))}</div>
${layers.map(
  ({ layer, charts }) =>
    html`<h4>Layer ${layer}</h4><div class="grid small">${charts.map((chart, head) => place(`lambda${id}-${layer}-${head}`, chart))}</div>`,
)}</div>
</section>`
}

/** A sentence about the first and the last mean of each distribution. */
function driftText({ distributions }: AttentionKind, { heads, steps }: History): string | undefined {
  const first = heads[0]
  const last = heads.at(-1)
  if (first === undefined || last === undefined || first === last || steps.length < 2) return undefined
  const losses = smooth(steps.map((record) => record.loss))
  const means = distributions.map(
    ({ name, title }) =>
      `the mean ${title} went from ${figure(meanOf(first, name))} to ${figure(meanOf(last, name))}`,
  )
  return `Here ${means.join(' and ')}, while the training loss went from ${figure(steps[0].loss)} to ${figure(losses[losses.length - 1])} nats (smoothed).`
}

const keyButton = (color: string, label: string): Markup =>
  html`<button type="button" data-color="${color}" aria-pressed="true"><i class="${color}"></i>${label}</button>`

function parameterSection(scalars: readonly Measure[], history: History, place: Place): Markup | undefined {
  const parameters = parameterCharts(history, scalars)
  if (parameters.length === 0) return undefined
  return html`<section><h2>What the heads learn</h2>
${parameters.map(({ name, about, headCount, headName, charts, fixed }, i) => {
  if (fixed !== undefined)
    return html`<h4>${name}</h4><p class="about">${about} Here it is ${figure(fixed)} in every head at every step.</p>`
  const key = Array.from({ length: Math.min(headCount, HEAD_COLORS) }, (_, head) => {
    const others = Array.from({ length: headCount }, (_, other) => other).filter(
      (other) => other % HEAD_COLORS === head,
    )
    return keyButton(headColor(head), `${headName} ${others.join(', ')}`)
  })
  return html`<h4>${name}</h4><p class="about">${about}</p><div data-group><div class="key">${key}</div>
<div class="grid small">${charts.map((chart, layer) => place(`parameter-${i}-${layer}`, chart))}</div></div>`
})}
</section>`
}

function sampleSection(samples: readonly SampleRecord[]): Markup | undefined {
  const shown = spread(samples.length, SHOWN_SAMPLES).map((i) => samples[i])
  const last = shown.pop()
  if (last === undefined) return undefined
  const omitted = samples.length - SHOWN_SAMPLES
  return html`<section><h2>Samples</h2>
${sampleMarkup(last)}
${
  shown.length === 0
    ? undefined
    : html`<details><summary>${shown.length} earlier${omitted > 0 ? ` (${omitted} left out)` : undefined}</summary>${shown.map(sampleMarkup)}</details>`
}
</section>`
}

const sampleMarkup = ({ step, prompt, text }: SampleRecord): Markup =>
  html`<figure class="panel sample"><figcaption>Step ${step}</figcaption><p><mark>${prompt}</mark>${text}</p></figure>
`

function configSection({ runs }: History): Markup | undefined {
  const run = runs.at(-1)
  if (run === undefined) return undefined
  const data: [string, string][] = [
    ['Training tokens', run.trainTokens.toLocaleString('en')],
    ['Held-out tokens', run.valTokens.toLocaleString('en')],
    ['Bytes per token', figure(run.bytesPerToken)],
    ['Parameters', run.parameters.toLocaleString('en')],
    ['Device', `${run.device.backend} ${run.device.variant}`],
    ['Threads', String(run.device.threads)],
  ]
  return html`<section><h2>Configuration</h2>
<div class="tables">${tableMarkup('Run', flatten(run.config))}<div>${tableMarkup('Data and device', data)}<br>${tableMarkup(
    'Versions',
    Object.entries(run.versions).map(([name, version]) => [name, String(version)]),
  )}</div></div>
</section>`
}

/** Flattens nested values to pairs of a dotted path and a text. */
function flatten(value: unknown, path = ''): [string, string][] {
  if (Array.isArray(value))
    return [[path, value.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(', ')]]
  if (typeof value !== 'object' || value === null) return [[path || 'value', String(value)]]
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, path === '' ? key : `${path}.${key}`))
}
