import { cpu } from '@tau/tensor'
import { type Browser, CHROMIUM, launchChromium, problemsOf, skipsChromium } from '@tau/testing/chromium'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {} from './page.ts'
import { swissRoll } from './roll.ts'
import { bundlePage, serve } from './site.ts'
import { POINTS, type Unrolled, unroll } from './unroll.ts'

describe('swissRoll', () => {
  it('is a band whose radius grows with its angle', () => {
    const { data, rows } = swissRoll(101, 3)
    for (let i = 0; i < rows; i++) {
      const radius = Math.hypot(data[3 * i], data[3 * i + 2])
      const angle = 12 * Math.atan(radius - 0.4) // six times the angle from the half-angle formulas
      expect(Math.abs(data[3 * i] - radius * Math.cos(angle))).toBeLessThan(1e-13)
      expect(Math.abs(data[3 * i + 2] - radius * Math.sin(angle))).toBeLessThan(1e-13)
      expect(data[3 * i + 1] >= 0 && data[3 * i + 1] < 1.5).toBe(true)
    }
  })
})

describe.skipIf(skipsChromium())(`the page in a browser (skipped without ${CHROMIUM})`, () => {
  let browser: Browser
  let files: Awaited<ReturnType<typeof bundlePage>>
  let expected: Unrolled
  beforeAll(async () => {
    files = await bundlePage()
    browser = await launchChromium()
    const device = await cpu({ threads: 1 })
    expected = await unroll(device, () => {})
    await device.close()
  })
  afterAll(() => browser.close())

  it.each([true, false])('has the graph that Node has, and draws it; isolated: %s', async (isolated) => {
    await using site = await serve(files, { isolated })
    const page = await browser.newPage()
    const problems = problemsOf(page, site.url)
    await page.goto(site.url)
    await page.waitForSelector('html[data-ready]')
    const seen = await page.evaluate(() => {
      const { graph, layout, points, threads, fallbacks, places } = globalThis.graphPage!
      /** The nodes whose place has no opaque pixel, and the opaque pixels in the margin, where nothing may be
       *  drawn. */
      const look = (id: 'roll' | 'layout') => {
        const canvas = document.querySelector<HTMLCanvasElement>(`#${id}`)!
        const { width, height } = canvas
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height)
        const alpha = (x: number, y: number) => data[4 * (y * width + x) + 3]
        let stray = 0
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            if ((x < 9 || y < 9 || x > width - 10 || y > height - 10) && alpha(x, y) > 0) stray++
          }
        }
        const missing = places[id].filter(({ x, y }) => alpha(Math.round(x), Math.round(y)) !== 255)
        return { missing: missing.length, stray }
      }
      return {
        graph: { indptr: [...graph.indptr], indices: [...graph.indices], values: [...graph.values] },
        layout: [...layout],
        points: [...points],
        status: document.querySelector('#status')!.textContent,
        isIsolated: globalThis.crossOriginIsolated,
        cores: navigator.hardwareConcurrency,
        ...{ threads, fallbacks, roll: look('roll'), flat: look('layout') },
      }
    })
    await page.close()

    expect(problems).toEqual([])
    expect(seen.isIsolated).toBe(isolated)
    expect(seen.threads).toBe(isolated ? seen.cores : 1)
    const fallback = expect.stringContaining('the page is not cross-origin isolated')
    expect(seen.fallbacks).toEqual(isolated || seen.cores === 1 ? [] : [fallback])
    expect(seen.status).toContain(`${POINTS} points, ${expected.graph.indices.length / 2} edges`)

    expect(seen.points).toEqual([...expected.points])
    expect(seen.graph.indptr).toEqual([...expected.graph.indptr])
    expect(seen.graph.indices).toEqual([...expected.graph.indices])
    expect(seen.graph.values).toEqual([...expected.graph.values])
    // Engines may round small eigenproblems differently. Vectors are right to 1e-8 of the norm divided by
    // their gap.
    const error = seen.layout.reduce(
      (most, value, n) => Math.max(most, Math.abs(value - expected.layout[n])),
      0,
    )
    const size = expected.layout.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    expect(error).toBeLessThan(1e-4 * size)

    expect(seen.roll).toEqual({ missing: 0, stray: 0 })
    expect(seen.flat).toEqual({ missing: 0, stray: 0 })
  })
})
