export { type DrawnEdge, type GraphDrawing, graphData, graphMarkup, SHADES } from './graph-drawing.ts'
export { html, type Markup } from './html.ts'
export { renderReport } from './page.ts'
export {
  chartPlaces,
  figure,
  type Place,
  pageMarkup,
  type Tile,
  tableMarkup,
  tilesMarkup,
} from './shell.ts'
