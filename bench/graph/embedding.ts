import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as Plot from '@observablehq/plot'
import { affinity, kneighborsGraph, spectralEmbedding, symmetrize } from '@tau/graph'
import { Random } from '@tau/tensor'
import { parseHTML } from 'linkedom'
import type { GroupContext } from '../registry.ts'

const POINTS = 600
const NEIGHBOURS = 10
const NOISE = 0.05
const FACETS = ['points in 3 dimensions, seen from above', 'spectral embedding'] as const

interface Dot {
  readonly facet: (typeof FACETS)[number]
  readonly x: number
  readonly y: number
  /** Place on the ring, from 0 to 1. */
  readonly share: number
}

/** Draws a ring tied into a trefoil knot, beside its spectral embedding, a circle. Writes into `--out`;
 *  default docs/graph. */
export async function runEmbedding({ filter, out, line, metric }: GroupContext): Promise<number> {
  if (!'embedding/ring'.includes(filter)) return 0
  const random = new Random(1)
  const shares = Array.from({ length: POINTS }, (_, i) => (i + random.float()) / POINTS)
  const data = new Float64Array(POINTS * 3)
  shares.forEach((share, i) => {
    const t = 2 * Math.PI * share
    const point = [Math.sin(t) + 2 * Math.sin(2 * t), Math.cos(t) - 2 * Math.cos(2 * t), -Math.sin(3 * t)]
    data.set(
      point.map((value) => value + NOISE * random.gaussian()),
      3 * i,
    )
  })
  const points = { data, rows: POINTS, cols: 3 }
  const distances = await kneighborsGraph(points, { k: NEIGHBOURS, mode: 'distance' })
  const graph = symmetrize(affinity(distances, { kernel: 'self-tuning' }), 'average')
  const { embedding } = await spectralEmbedding(graph, { dim: 2 })
  const radii = shares.map((_, i) => Math.hypot(embedding.data[2 * i], embedding.data[2 * i + 1]))
  const mean = radii.reduce((sum, radius) => sum + radius, 0) / POINTS
  const spread = Math.sqrt(radii.reduce((sum, radius) => sum + (radius / mean - 1) ** 2, 0) / POINTS)
  const dots = shares.flatMap((share, i): Dot[] => [
    { facet: FACETS[0], x: data[3 * i] / 3, y: data[3 * i + 1] / 3, share },
    { facet: FACETS[1], x: embedding.data[2 * i] / mean, y: embedding.data[2 * i + 1] / mean, share },
  ])
  const folder = out ?? fileURLToPath(new URL('../../docs/graph', import.meta.url))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'ring.svg'), drawing(dots))
  line(
    `embedding ring ${POINTS} points | radius ±${(100 * spread).toFixed(1)}% | ${join(folder, 'ring.svg')}`,
  )
  metric('embedding/ring/radius_spread', spread)
  return 1
}

function drawing(dots: readonly Dot[]): string {
  const { document } = parseHTML('<html><body></body></html>')
  const svg = Plot.plot({
    document,
    width: 760,
    height: 410,
    margin: 12,
    marginTop: 44,
    style: { fontFamily: 'DejaVu Sans, Helvetica, Arial, sans-serif', fontSize: '14px', background: 'white' },
    fx: { axis: 'top', domain: [...FACETS], label: null },
    x: { axis: null, domain: [-1.25, 1.25] },
    y: { axis: null, domain: [-1.25, 1.25] },
    color: { type: 'cyclical', scheme: 'rainbow' },
    marks: [Plot.dot(dots, { fx: 'facet', x: 'x', y: 'y', fill: 'share', r: 2.5 })],
  })
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
  return `${svg.outerHTML.replaceAll(/(c[xy]=")(-?\d+\.\d)\d*/g, '$1$2')}\n`
}
