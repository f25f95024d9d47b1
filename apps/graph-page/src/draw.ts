import type { Csr } from '@tau/graph'

export interface Place {
  readonly x: number
  readonly y: number
}

/** The places of nodes [n, 2] in a box of `width` × `height` pixels. They are stretched to fill the box
 *  inside its margin. */
export const placesOf = (
  positions: ArrayLike<number>,
  width: number,
  height: number,
  margin: number,
): Place[] => {
  const axis = (offset: number, length: number) => {
    const values = Array.from({ length: positions.length / 2 }, (_, i) => positions[2 * i + offset])
    const low = values.reduce((least, value) => Math.min(least, value))
    const high = values.reduce((most, value) => Math.max(most, value))
    const scale = (length - 2 * margin) / (high - low || 1)
    return values.map((value) => margin + (value - low) * scale)
  }
  const [xs, ys] = [axis(0, width), axis(1, height)]
  return xs.map((x, i) => ({ x, y: ys[i] }))
}

/** Draws the edges as thin lines, then the nodes as squares of 3 × 3 pixels in their colours. */
export const drawGraph = (
  context: CanvasRenderingContext2D,
  graph: Csr,
  places: readonly Place[],
  colourOf: (node: number) => string,
): void => {
  context.clearRect(0, 0, context.canvas.width, context.canvas.height)
  context.strokeStyle = 'rgb(120 120 120 / 0.25)'
  context.lineWidth = 0.5
  context.beginPath()
  for (let i = 0; i < graph.nRows; i++) {
    for (let e = graph.indptr[i]; e < graph.indptr[i + 1]; e++) {
      if (graph.indices[e] <= i) continue
      const to = places[graph.indices[e]]
      context.moveTo(places[i].x, places[i].y)
      context.lineTo(to.x, to.y)
    }
  }
  context.stroke()
  for (const [node, { x, y }] of places.entries()) {
    context.fillStyle = colourOf(node)
    context.fillRect(Math.round(x) - 1, Math.round(y) - 1, 3, 3)
  }
}
