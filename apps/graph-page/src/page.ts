import { drawGraph, type Place, placesOf } from './draw.ts'
import type { Message } from './messages.ts'
import { LARGEST_RADIUS } from './roll.ts'
import type { Unrolled } from './unroll.ts'

/** What was drawn. Tests read it, and it is `graphPage` in the browser's console. */
export interface GraphPage extends Unrolled {
  readonly threads: number
  readonly fallbacks: readonly string[]
  /** the drawn nodes of each canvas, by the id of the canvas */
  readonly places: Readonly<Record<'roll' | 'layout', readonly Place[]>>
}

declare global {
  var graphPage: GraphPage | undefined
}

const MARGIN = 12
const status = document.querySelector('#status')!

const contextOf = (id: 'roll' | 'layout'): CanvasRenderingContext2D => {
  const context = document.querySelector<HTMLCanvasElement>(`#${id}`)!.getContext('2d')
  if (!context) throw new Error('page: a canvas must have a 2d context, got none')
  return context
}

/** Draws the roll along its axis, and the layout of its graph. The colour of a point is its radius, which
 *  grows along the band. */
const draw = ({ points, layout, graph }: Unrolled): GraphPage['places'] => {
  const across = Float64Array.from({ length: 2 * graph.nRows }, (_, n) => points[3 * (n >> 1) + 2 * (n & 1)])
  const colourOf = (node: number) =>
    `hsl(${Math.round((300 * Math.hypot(points[3 * node], points[3 * node + 2])) / LARGEST_RADIUS)} 80% 45%)`
  const placed = (id: 'roll' | 'layout', positions: Float64Array): Place[] => {
    const context = contextOf(id)
    const places = placesOf(positions, context.canvas.width, context.canvas.height, MARGIN)
    drawGraph(context, graph, places, colourOf)
    return places
  }
  return { roll: placed('roll', across), layout: placed('layout', layout) }
}

const worker = new Worker('worker.js', { type: 'module' })
worker.onmessage = ({ data }: MessageEvent<Message>) => {
  if (data.kind !== 'done') {
    status.textContent = data.text
    if (data.kind === 'failed') document.documentElement.dataset.ready = 'failed'
    return
  }
  const { result, threads, fallbacks, ms } = data
  globalThis.graphPage = { ...result, threads, fallbacks, places: draw(result) }
  const edges = result.graph.indices.length / 2
  const how = `${threads} ${threads === 1 ? 'thread' : 'threads'}`
  const what = `${result.graph.nRows} points, ${edges} edges, ${Math.round(ms)} ms on ${how}`
  status.textContent = [what, ...fallbacks].join('; ')
  document.documentElement.dataset.ready = 'done'
}
worker.onerror = ({ message }) => {
  status.textContent = message
  document.documentElement.dataset.ready = 'failed'
}
