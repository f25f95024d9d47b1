import { createHash } from 'node:crypto'
import type { Chart } from '../chart.ts'
import { pageAssets } from './assets.ts'
import { html, type Markup, scriptJson, trusted } from './html.ts'

/** Registers a chart under an id, and returns the markup that shows it in the page. Ids must be unique in a
 *  page. */
export type Place = (id: string, chart: Chart) => Markup

/** The charts of one page. `place` adds a chart to `charts`, which the script of the page draws. */
export function chartPlaces(): { readonly charts: Readonly<Record<string, Chart>>; readonly place: Place } {
  const charts: Record<string, Chart> = {}
  const place: Place = (id, chart) => {
    charts[id] = chart
    return chartMarkup(id, chart)
  }
  return { charts, place }
}

function chartMarkup(id: string, { title, note, hasLegend }: Chart): Markup {
  return html`<div class="panel" data-chart="${id}"><h3>${title}</h3>${
    note === undefined ? undefined : html`<p class="chart-note">${note}</p>`
  }${hasLegend ? html`<div class="legend"></div>` : undefined}<div class="plot"></div></div>
`
}

export interface Page {
  readonly title: string
  readonly body: Markup
  readonly charts: Readonly<Record<string, Chart>>
  /** Data of the graph drawings by their id, for the script that reacts to the pointer. Left out: the page
   *  has no graphs. */
  readonly graphs?: Readonly<Record<string, unknown>>
}

/** One self-contained page. It needs no network and no other files, and works from file://. Its
 *  Content-Security-Policy allows only our own style and scripts, so no data can load or run anything. */
export function pageMarkup({ title, body, charts, graphs }: Page): string {
  const assets = pageAssets()
  const style = graphs ? `${assets.style}\n${assets.graphStyle}` : assets.style
  const scripts = graphs ? [assets.script, assets.graphScript] : [assets.script]
  const policy = `default-src 'none'; style-src ${cspHash(style)}; script-src ${scripts.map(cspHash).join(' ')}; img-src data:; base-uri 'none'; form-action 'none'`
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${trusted(style)}</style>
</head>
<body>
${body}
<script type="application/json" id="charts">${scriptJson(charts)}</script>
${graphs && html`<script type="application/json" id="graphs">${scriptJson(graphs)}</script>`}
${scripts.map((script) => html`<script>${trusted(script)}</script>`)}
</body>
</html>
`.text
}

/** Source expression of a Content-Security-Policy that allows only this inline text. */
const cspHash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`

/** A number in the head of the page. */
export interface Tile {
  readonly label: string
  readonly value: string
  readonly small: string
}

export const tilesMarkup = (tiles: readonly Tile[]): Markup =>
  html`<dl class="tiles">${tiles.map(
    (tile) =>
      html`<div class="tile"><dt>${tile.label}</dt><dd class="value">${tile.value}</dd><dd class="small">${tile.small}</dd></div>`,
  )}</dl>`

export const tableMarkup = (caption: string, rows: readonly (readonly [string, string])[]): Markup =>
  html`<table><caption>${caption}</caption><tbody>${rows.map(
    ([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
  )}</tbody></table>`

/** The number with 4 significant digits. */
export const figure = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(4))) : 'not a number'
