import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  buildManifold,
  csrFromDense,
  type DenseMatrix,
  type LabelledEmbeddings,
  laplacian,
  type Manifold,
} from '@tau/graph'
import { Random } from '@tau/tensor'
import {
  type Browser,
  CHROMIUM,
  launchChromium,
  NO_GPU,
  problemsOf,
  skipsChromium,
} from '@tau/testing/chromium'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drawnPart, MOST_EDGES, MOST_NODES } from './edges.ts'
import { lookAtItems } from './items.ts'
import { lookAt, rowsOf } from './look.ts'
import { renderManifold } from './page.ts'

const HOSTILE =
  '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">\u2028\0 & "\' `$`'

const normal = (rows: number, cols: number, seed = 1): DenseMatrix => {
  const random = new Random(seed)
  return { data: Float64Array.from({ length: rows * cols }, () => random.gaussian()), rows, cols }
}

const manifoldOf = (matrix: Manifold['laplacian'], more: Partial<Manifold> = {}): Manifold => ({
  laplacian: matrix,
  nameId: 'domain',
  metadata: undefined,
  ...more,
})

const embeddings = normal(61, 23)
const plain = manifoldOf((await buildManifold(embeddings, { dim: 23, reduce: 'none' })).laplacian)
const hostile = manifoldOf(plain.laplacian, {
  nameId: HOSTILE,
  metadata: {
    name_id: HOSTILE,
    timestamp: HOSTILE,
    n_rows: 61,
    n_cols: 23,
    builder_config: { [HOSTILE]: { String: HOSTILE }, nested: { Sampling: { [HOSTILE]: [HOSTILE] } } },
    files: {},
  },
})
const labelled: LabelledEmbeddings = {
  ...embeddings,
  labels: Array.from({ length: 61 }, (_, i) => `${HOSTILE}${i}`),
}
/** 0 – 1 and 2 – 3 joined, 4 alone. */
const pieces = () => {
  const data = new Float64Array(25)
  data[1] = data[5] = 2
  data[13] = data[17] = 1
  return manifoldOf(laplacian(csrFromDense({ data, rows: 5, cols: 5 })))
}
const skew = manifoldOf(csrFromDense({ data: Float64Array.of(1, -1, -0.5, 1), rows: 2, cols: 2 }))
const edgeless = manifoldOf(csrFromDense({ data: Float64Array.of(1, 0, 0, 1), rows: 2, cols: 2 }))

describe('renderManifold', () => {
  it('prints the numbers of describeManifold and the spectrum, on the page as in the terminal', async () => {
    const look = await lookAt(plain)
    const page = renderManifold(look)
    const rows = rowsOf(look)
    for (const [, value] of rows) expect(page.includes(`<td>${value}</td>`), value).toBe(true)
    const { description, spectrum } = look
    if (typeof spectrum === 'string') throw new Error(spectrum)
    expect(rows).toContainEqual(['size', `23 × 23, ${description.nnz} entries`])
    expect(rows).toContainEqual(['density', `${(100 * description.density).toPrecision(3)} %`])
    expect(rows.find(([name]) => name === 'eigengap')![1]).toMatch(/^\S+ after \d+ eigenvalues?$/)
    expect(page.match(/<circle class="(shade|head)-\d" cx/g)).toHaveLength(23)
    const [charts] = embedded(page)
    expect(charts.spectrum).toMatchObject({ x: Array.from({ length: 23 }, (_, i) => i + 1) })
    const edges = JSON.stringify(charts['histogram-2'])
    expect(JSON.parse(edges).series[0].values.reduce((a: number, b: number) => a + b)).toBe(description.edges)
  })

  it('colours by component where the graph is in pieces, and says what is wrong with a matrix', async () => {
    const page = renderManifold(await lookAt(pieces()))
    expect(page.match(/circle class="head-\d"/g)).toEqual(
      [0, 0, 1, 1, 2].map((component) => `circle class="head-${component}"`),
    )
    expect(page.includes('<p class="note note">3 connected components</p>')).toBe(true)
    const bad = renderManifold(await lookAt(skew))
    expect(bad.includes('not usable')).toBe(true)
    expect(bad.includes('Problem: must be symmetric')).toBe(true)
    expect(bad.includes('There is none: denseEigenpairs: the matrix must be symmetric')).toBe(true)
  })

  it('shows items with their λ: as the manifold reduces them, lowest and highest first', async () => {
    const look = await lookAt(plain, await lookAtItems(plain, embeddings))
    const { items } = look
    expect([items!.count, items!.lambda.length]).toEqual([61, 61])
    expect(items!.shown.map(({ name }) => name)).toContain(items!.lowest[0].name)
    const sorted = Float64Array.from(items!.lambda).sort()
    expect(items!.lowest.map(({ lambda }) => lambda)).toEqual(Array.from(sorted.slice(0, 24)))
    expect(items!.highest[0].lambda).toBe(sorted[60])
    expect(sorted[30]).toBeCloseTo(0.5, 12) // τ is the median energy
    expect(renderManifold(look).match(/<circle class="shade-\d" cx/g)).toHaveLength(23 + items!.shown.length)
    const { laplacian: small, info } = await buildManifold(embeddings, { dim: 7, seed: 3 })
    const reduced = manifoldOf(small, {
      metadata: {
        ...hostile.metadata!,
        builder_config: { tau_reduce: { String: info.reduce }, tau_seed: { OptionU64: 3 } },
      },
    })
    expect((await lookAtItems(reduced, embeddings)).count).toBe(61)
    await expect(lookAtItems(manifoldOf(small), embeddings)).rejects.toThrow('L must be [D, D] = [23, 23]')
  })

  it('is the same page for the same manifold', async () => {
    expect(renderManifold(await lookAt(plain))).toBe(renderManifold(await lookAt(plain)))
  })

  it('refers to nothing outside itself, and shows hostile names as text', async () => {
    const page = renderManifold(await lookAt(hostile, await lookAtItems(hostile, labelled)))
    expect(page.match(/(src|href)="(?!data:)/)).toBeNull()
    expect(page.match(/url\(|@import/)).toBeNull()
    expect(page.match(/<script/g)).toHaveLength(4)
    expect(page.includes('<img')).toBe(false)
  })
})

const embedded = (page: string): Record<string, unknown>[] =>
  ['charts', 'graphs'].map((id) =>
    JSON.parse(page.match(new RegExp(`<script type="application/json" id="${id}">(.*?)</script>`, 's'))![1]),
  )

describe('drawnPart', () => {
  it('takes the nodes of largest degree and the heaviest edges of a large graph', () => {
    const n = 1201
    const data = new Float64Array(n * n)
    for (let i = 0; i < n; i++)
      for (let j = 1; j <= 10; j++) {
        const other = (i + j) % n
        data[i * n + other] = data[other * n + i] = 1 + i / n
      }
    const matrix = laplacian(csrFromDense({ data, rows: n, cols: n }))
    const degrees = Float64Array.from({ length: n }, (_, i) => i)
    const { nodes, edges, edgesAmong } = drawnPart(matrix, degrees)
    expect(nodes).toEqual(Array.from({ length: MOST_NODES }, (_, i) => 201 + i))
    expect([edges.length, edgesAmong]).toEqual([MOST_EDGES, 10 * 1000 - 55])
    expect(edges[0].weight).toBeGreaterThan(edges[MOST_EDGES - 1].weight)
  })
})

describe.skipIf(skipsChromium())(`manifold page in a browser (skipped without ${CHROMIUM})`, () => {
  let browser: Browser
  const folder = mkdtempSync(join(tmpdir(), 'tau-inspect-'))
  beforeAll(async () => {
    browser = await launchChromium(NO_GPU)
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  async function open(text: string, width = 1200) {
    const path = join(folder, 'inspect.html')
    writeFileSync(path, text)
    const page = await browser.newPage({ viewport: { width, height: 900 } })
    const problems = problemsOf(page, pathToFileURL(path).href)
    await page.goto(pathToFileURL(path).href)
    await page.waitForSelector('html[data-ready=true]')
    const seen = await page.evaluate(() => ({
      hacked: 'hacked' in window,
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      charts: document.querySelectorAll('[data-chart]').length,
      canvases: document.querySelectorAll('[data-chart] canvas').length,
      text: document.querySelector('main')!.textContent,
      nodes: Array.from(
        document.querySelectorAll<SVGCircleElement>('[data-graph=features] .nodes circle'),
      ).filter(
        (circle) => circle.getBoundingClientRect().width > 1 && getComputedStyle(circle).fill !== 'none',
      ).length,
    }))
    return { page, problems, seen }
  }

  it.each<[string, () => Promise<Manifold>, number]>([
    ['a plain manifold', async () => plain, 23],
    ['hostile names', async () => hostile, 23],
    ['a graph in pieces', async () => pieces(), 5],
    ['a matrix that is no Laplacian', async () => skew, 2],
    ['a graph without edges', async () => edgeless, 2],
  ])('draws every node and chart of %s without a complaint, on a phone too', async (_, make, size) => {
    const manifold = await make()
    const items = size === 23 ? await lookAtItems(manifold, labelled) : undefined
    for (const width of [1200, 400]) {
      const { page, problems, seen } = await open(renderManifold(await lookAt(manifold, items)), width)
      expect(problems).toEqual([])
      expect(seen).toMatchObject({ hacked: false, overflow: 0, nodes: size, canvases: seen.charts })
      expect(seen.text).not.toMatch(/undefined|NaN|\[object/)
      await page.close()
    }
  })

  it('says what is pointed at or found, shows its neighbours, and zooms', async () => {
    const { page, problems } = await open(renderManifold(await lookAt(plain)))
    const graph = page.locator('[data-graph=features]')
    const info = graph.locator('.graph-info')
    await graph.locator('input').fill('7')
    await expect.poll(() => info.textContent()).toMatch(/^7 degree [\d.]+ · Fiedler \S+ · nearest \d+/)
    const [, graphs] = embedded(renderManifold(await lookAt(plain)))
    const { pairs } = graphs.features as { pairs: number[] }
    const joined = pairs.filter((_, e) => pairs[e ^ 1] === 7).length
    expect(await graph.locator('.is-near').count()).toBe(joined + 1)
    await graph.locator('input').fill('whale')
    await expect.poll(() => info.textContent()).toBe('No node is named whale.')
    await graph.locator('input').fill('')
    await expect.poll(() => info.textContent()).toBe('')
    const box = (await graph.locator('.nodes circle').nth(3).boundingBox())!
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await expect.poll(() => info.textContent()).toMatch(/^3 degree/)
    const viewBox = () => graph.locator('svg').getAttribute('viewBox')
    const whole = await viewBox()
    await graph.locator('[data-zoom=in]').click()
    expect(await viewBox()).not.toBe(whole)
    await graph.locator('[data-zoom=all]').click()
    expect(await viewBox()).toBe(whole)
    expect(problems).toEqual([])
    await page.close()
  })
})
