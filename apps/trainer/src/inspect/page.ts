import { diagonal, probeEnergies, tauFromEnergies } from '@tau/graph'
import {
  chartPlaces,
  figure,
  graphData,
  graphMarkup,
  html,
  type Markup,
  type Place,
  pageMarkup,
  SHADES,
  type Tile,
  tableMarkup,
  tilesMarkup,
} from '@tau/report/page'
import {
  type Colouring,
  type FeatureFigure,
  featureFigure,
  type HistogramFigure,
  histogramChart,
  itemFigure,
  spectrumChart,
} from './figures.ts'
import type { ItemLook } from './items.ts'
import { eigengapText, type Look, notesOf, rowsOf } from './look.ts'

/** One self-contained HTML page about a manifold: its graph, distributions, spectrum, and everything that
 *  `inspect` prints. Names are escaped. */
export function renderManifold(look: Look): string {
  const { charts, place } = chartPlaces()
  const { manifold, spectrum, items } = look
  const features = featureFigure(manifold.laplacian, spectrum)
  const words = items && itemFigure(items)
  const body = html`<main>
${headMarkup(look)}
${graphSection(look, features)}
${distributionSection(look, place)}
${spectrumSection(look, place)}
${items && words && itemSection(items, graphMarkup('items', words, 'Graph of some items'), place)}
${numberSection(look)}
<footer>Point at a node to see its neighbours, click to keep them, drag to move the drawing. Drag across a chart to zoom, double-click to see all of it again.</footer>
</main>`
  return pageMarkup({
    title: `${manifold.nameId} · manifold`,
    body,
    charts,
    graphs: { features: graphData(features.drawing), ...(words && { items: graphData(words) }) },
  })
}

function headMarkup(look: Look): Markup {
  const { manifold, verdict } = look
  const { metadata } = manifold
  return html`<header>
<p class="eyebrow">Tau manifold</p>
<div class="title"><h1>${manifold.nameId}</h1><span class="pill ${verdict.ok ? 'usable' : 'unusable'}">${
    verdict.ok ? 'usable' : 'not usable'
  }</span></div>
<p class="lead">${
    metadata
      ? `Built from ${metadata.n_rows.toLocaleString('en')} × ${metadata.n_cols.toLocaleString('en')} embeddings, ${metadata.timestamp}`
      : 'There is no manifold.json beside it, so its source is unknown.'
  }</p>
${notesOf(look).map(([kind, text]) =>
  kind === 'verdict'
    ? html`<p class="lead">Verdict: ${text}.</p>`
    : html`<p class="note ${kind}">${kind === 'problem' ? 'Problem: ' : ''}${text}</p>`,
)}
${tilesMarkup(tilesOf(look))}
</header>`
}

function tilesOf({ description, spectrum }: Look): Tile[] {
  const { size, edges, density, components, isolated, energy } = description
  return [
    {
      label: 'Features',
      value: size.toLocaleString('en'),
      small: isolated > 0 ? `${isolated} isolated` : 'none isolated',
    },
    {
      label: 'Edges',
      value: edges.toLocaleString('en'),
      small: `median ${description.neighbors.median} neighbours`,
    },
    {
      label: 'Density',
      value: `${(100 * density).toPrecision(3)} %`,
      small: `${description.nnz.toLocaleString('en')} entries`,
    },
    { label: 'Components', value: String(components), small: components === 1 ? 'connected' : 'in pieces' },
    ...(typeof spectrum === 'string' || spectrum.eigengap === undefined
      ? []
      : [
          {
            label: 'Eigengap',
            value: figure(spectrum.eigengap.gap),
            small: eigengapText(spectrum).replace(/^\S+ /, ''),
          },
        ]),
    {
      label: 'Energy, median',
      value: figure(energy.median),
      small: `middle half ${figure(energy.q25)} – ${figure(energy.q75)}`,
    },
  ]
}

const KEYS: Readonly<Record<Colouring, readonly [string, string]>> = {
  fiedler: ['low in the Fiedler vector', 'high'],
  lambda: ['low λ', 'high λ'],
  component: ['', ''],
}

function keyMarkup(colouring: Colouring, rest: string): Markup {
  const [low, high] = KEYS[colouring]
  const dot = (shade: number) =>
    html`<svg viewBox="0 0 14 12"><circle cx="7" cy="6" r="5" class="shade-${shade}"/></svg>`
  const shades = [0, 2, 4, 6, SHADES - 1].map(dot)
  return html`<div class="graph-key">${
    colouring === 'component'
      ? html`<span>Colour: component</span>`
      : html`<span>${low} ${shades} ${high}</span>`
  }<span>${rest}</span></div>`
}

function graphSection({ description }: Look, { drawing, part, colouring }: FeatureFigure): Markup {
  const omitted = [
    part.nodes.length < description.size
      ? `the ${part.nodes.length} of ${description.size} features with the largest degree`
      : undefined,
    part.edges.length < part.edgesAmong
      ? `the ${part.edges.length} heaviest of ${part.edgesAmong} edges among them`
      : undefined,
  ].filter((one) => one !== undefined)
  return html`<section><h2>Graph</h2>
<p class="about">Nodes are features, numbered from 0, laid out by ForceAtlas2: heavy edges pull features together. ${
    colouring === 'fiedler'
      ? 'The sign of the Fiedler vector splits the graph in two parts with few edges between them.'
      : undefined
  }${omitted.length > 0 ? ` Drawn: ${omitted.join(', ')}.` : undefined}</p>
<div class="panel">${keyMarkup(colouring, 'Area: degree. Lines: weight.')}${graphMarkup('features', drawing, 'Graph of the features')}</div>
</section>`
}

function distributionSection({ manifold, description, items }: Look, place: Place): Markup {
  const { laplacian } = manifold
  const probes = probeEnergies(laplacian)
  const tau = items?.tau ?? tauFromEnergies(probes, { name: 'median' })
  const { neighbours, degrees, weights } = valuesOf(laplacian)
  const charts: readonly HistogramFigure[] = [
    { title: 'Neighbours', xName: 'neighbours', of: 'features', color: 'teal', values: neighbours },
    { title: 'Degree', xName: 'degree', of: 'features', color: 'blue', values: degrees },
    { title: 'Edge weights', xName: 'weight', of: 'edges', color: 'violet', values: weights },
    {
      title: 'λ of random vectors',
      note: `${probes.length} of them, τ ${figure(tau)}`,
      xName: 'λ',
      of: 'vectors',
      color: 'orange',
      values: probes.map((energy) => energy / (energy + tau)),
    },
  ]
  return html`<section><h2>Distributions</h2>
<p class="about">λ = E / (E + τ), with τ the median energy${items ? ' of the items' : ''}. A vector whose weight lies on features that the graph joins has a low energy; a random vector knows
nothing of the graph, so its energy is near the mean degree, ${figure(degrees.reduce((sum, degree) => sum + degree, 0) / description.size)}.</p>
<div class="grid quarters">${charts.map((one, i) => {
    const chart = histogramChart(one)
    return chart && place(`histogram-${i}`, chart)
  })}</div>
</section>`
}

/** Values for the histograms: neighbours and degree of each node, and the weight of each edge. */
function valuesOf(laplacian: Look['manifold']['laplacian']) {
  const { nRows, indptr, indices, values } = laplacian
  const neighbours = new Float64Array(nRows)
  const weights: number[] = []
  for (let i = 0; i < nRows; i++) {
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (indices[e] === i || values[e] === 0) continue
      neighbours[i]++
      if (i < indices[e]) weights.push(-values[e])
    }
  }
  return { neighbours, degrees: diagonal(laplacian), weights }
}

function spectrumSection({ spectrum }: Look, place: Place): Markup {
  return html`<section><h2>Spectrum</h2>
${
  typeof spectrum === 'string'
    ? html`<p class="about">There is none: ${spectrum}</p>`
    : html`<p class="about">As many eigenvalues are 0 as the graph has components. A gap after the first few eigenvalues means that the features form that many groups.</p>
${place('spectrum', spectrumChart(spectrum))}`
}
</section>`
}

function itemSection(items: ItemLook, drawing: Markup, place: Place): Markup {
  const { count, tau, lambda, lowest, highest, shown } = items
  const chart = histogramChart({
    title: 'λ of the items',
    note: `${count.toLocaleString('en')} items, τ ${figure(tau)}, their median energy`,
    xName: 'λ',
    of: 'items',
    color: 'teal',
    values: lambda,
  })
  const list = (caption: string, list: ItemLook['lowest']) =>
    tableMarkup(
      caption,
      list.map(({ name, lambda }) => [name, figure(lambda)]),
    )
  return html`<section><h2>Items</h2>
<p class="about">The embeddings that the manifold was built from, each with its λ. The drawing shows ${shown.length} of them: some of the first items of the file, evenly spread over λ, and the items nearest to each by cosine.</p>
${chart && place('items', chart)}
<div class="panel">${keyMarkup('lambda', 'Lines: nearest by cosine.')}${drawing}</div>
<br><div class="tables">${list('Lowest λ', lowest)}${list('Highest λ', highest)}</div>
</section>`
}

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

function numberSection(look: Look): Markup {
  const settings = Object.entries(look.manifold.metadata?.builder_config ?? {}).map(
    ([name, value]): [string, string] => [name, Object.values(value).map(plain).join(', ')],
  )
  return html`<section><h2>Numbers</h2>
<div class="tables">${tableMarkup('As printed by inspect', rowsOf(look))}${
    settings.length > 0 ? tableMarkup('Built with', settings) : undefined
  }</div>
</section>`
}
