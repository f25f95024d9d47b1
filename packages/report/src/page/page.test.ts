import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Browser, CHROMIUM, launchChromium, problemsOf, skipsChromium } from '@tau/testing/chromium'
import type { MetricsRecord } from '@tau/train'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runRecord, syntheticRun } from '../testing.ts'
import { escapeText, html, scriptJson } from './html.ts'
import { renderReport } from './page.ts'

const HOSTILE =
  '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked = 2">\u2028\0\ud800 & "\' `$`'

function hostileRun(): MetricsRecord[] {
  const run = runRecord({ steps: 3 })
  return [
    {
      ...run,
      time: HOSTILE,
      versions: { [HOSTILE]: HOSTILE },
      device: { ...run.device, variant: HOSTILE, fallbacks: [HOSTILE] },
      config: {
        [HOSTILE]: HOSTILE,
        model: { attention: 'tau', preset: HOSTILE },
        list: [HOSTILE, { a: HOSTILE }],
      },
    },
    { kind: 'sample', step: 1, prompt: HOSTILE, text: HOSTILE },
    ...syntheticRun({ steps: 3 }).slice(1),
  ]
}

const chartIds = (page: string) => Array.from(page.matchAll(/data-chart="([^"]+)"/g), ([, id]) => id)
const embedded = (page: string): Record<string, unknown> =>
  JSON.parse(page.match(/<script type="application\/json" id="charts">(.*?)<\/script>/s)![1])

describe('html', () => {
  it('escapes strings, keeps markup, joins lists', () => {
    expect(html`<b title="${'"<&>\''}">${[html`<i>${1}</i>`, '<i>', undefined]}</b>`.text).toBe(
      '<b title="&quot;&lt;&amp;&gt;&#39;"><i>1</i>&lt;i&gt;</b>',
    )
    expect(escapeText('a\0b\ud800c\nd')).toBe('a\uFFFDb\uFFFDc\nd')
  })

  it('writes JSON that ends no script element and reads back the same', () => {
    const text = scriptJson({ [HOSTILE]: HOSTILE }).text
    expect(text).not.toMatch(/[<>&\u2028]/)
    expect(JSON.parse(text)).toEqual({ [HOSTILE]: HOSTILE })
  })
})

describe('renderReport', () => {
  it('embeds a figure for every chart element and the other way round', () => {
    const page = renderReport(syntheticRun({ steps: 40, nLayer: 3, nHead: 4, nKvHead: 2 }))
    expect(chartIds(page).sort()).toEqual(Object.keys(embedded(page)).sort())
    // Charts: loss, 3 optimizer figures, drift, λ of 3 × 4 heads, 3 parameters × 3 layers.
    expect(chartIds(page)).toHaveLength(1 + 3 + 1 + 12 + 9)
  })

  it('says which model it is, where and how it ran, and how it ended', () => {
    const page = renderReport(syntheticRun({ steps: 40 }))
    for (const text of [
      'TauGPT, default preset',
      'attention: tau',
      '1.31 M parameters',
      'relaxed-simd, 2 threads',
      'finished · step 40',
    ])
      expect(page.includes(text), text).toBe(true)
    const dot = renderReport(syntheticRun({ steps: 40, attention: 'dot', preset: 'paper' }))
    expect(dot.includes('<h1>GPT, paper preset</h1>'), '<h1>GPT, paper preset</h1>').toBe(true)
    expect(dot.includes('attention: dot'), 'attention: dot').toBe(true)
    expect(dot.includes('It has no λ'), 'It has no λ').toBe(true)
    expect(chartIds(dot).filter((id) => /drift|lambda/.test(id))).toEqual([])
  })

  it('shows λ of the heads that have one, and is named after the model when others have none', () => {
    const run = runRecord({ steps: 9 })
    const config = {
      model: { attention: 'tau', preset: 'default', layers: [[{ kvHeads: 1, attention: 'dot-window' }, {}]] },
    }
    const page = renderReport([{ ...run, config }, ...syntheticRun({ steps: 9 }).slice(1)])
    expect(page).toContain('<h1>TauGPT, default preset</h1>')
    expect(page).toContain('attention: tau, dot-window')
    expect(page).toContain('Distribution of λ')
    expect(page).not.toContain('It has no λ')
  })

  it('names fallbacks and resumes', () => {
    const run = runRecord({ steps: 9 })
    const fallen = { ...run, device: { ...run.device, fallbacks: ['plain SIMD: no relaxed SIMD'] } }
    const page = renderReport([fallen, ...syntheticRun({ steps: 9 }).slice(1, -1), { ...fallen, step: 7 }])
    expect(
      page.includes('Fallback: plain SIMD: no relaxed SIMD'),
      'Fallback: plain SIMD: no relaxed SIMD',
    ).toBe(true)
    expect(page.includes('Resumed at step 7'), 'Resumed at step 7').toBe(true)
    expect(page.includes('no end record · last step 7'), 'no end record · last step 7').toBe(true)
  })

  it('refers to nothing outside itself and allows no script but its own', () => {
    const page = renderReport(syntheticRun({ steps: 9 }))
    expect(page.match(/(src|href)="(?!data:)/)).toBeNull()
    expect(/default-src &#39;none&#39;; style-src &#39;sha256-.*script-src &#39;sha256-/.test(page)).toBe(
      true,
    )
  })

  it('shows hostile text as text', () => {
    const page = renderReport(hostileRun())
    expect(page.match(/<script/g)).toHaveLength(2)
    expect(page.includes('<img')).toBe(false)
  })
})

describe.skipIf(skipsChromium())(`report in a browser (skipped without ${CHROMIUM})`, () => {
  let browser: Browser
  const folder = mkdtempSync(join(tmpdir(), 'tau-report-'))
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    rmSync(folder, { recursive: true })
  })

  /** Opens the report from a file. Counts the canvases with a drawing, and collects errors of the page. */
  async function open(records: readonly MetricsRecord[], viewport = { width: 1200, height: 800 }) {
    const path = join(folder, 'report.html')
    writeFileSync(path, renderReport(records))
    const page = await browser.newPage({ viewport })
    const problems = problemsOf(page, pathToFileURL(path).href)
    await page.goto(pathToFileURL(path).href)
    await page.waitForSelector('html[data-ready=true]')
    const seen = await page.evaluate(() => {
      const isDrawn = (canvas: HTMLCanvasElement) => {
        const pixels = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height).data
        return pixels.some((value) => value !== 0)
      }
      return {
        charts: document.querySelectorAll('[data-chart]').length,
        drawn: Array.from(document.querySelectorAll('canvas')).filter(isDrawn).length,
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        hacked: 'hacked' in window,
        text: document.querySelector('main')!.textContent,
      }
    })
    return { page, problems, seen }
  }

  const resumed = [
    ...syntheticRun({ steps: 40, evalEvery: 5 }).slice(0, -1),
    runRecord({ steps: 40 }, 30),
    ...syntheticRun({ steps: 40, evalEvery: 5 }).filter(
      (record) => record.kind !== 'run' && record.step > 30,
    ),
  ]
  const withNaN: MetricsRecord[] = syntheticRun({ steps: 9 }).map((record) =>
    record.kind === 'step' && record.step > 6
      ? { ...record, loss: Number.NaN, gradNorm: Number.POSITIVE_INFINITY }
      : record,
  )
  it.each<[string, readonly MetricsRecord[]]>([
    ['a tau run with a resume', resumed],
    ['a dot run', syntheticRun({ steps: 40, attention: 'dot' })],
    ['the paper preset', syntheticRun({ steps: 40, preset: 'paper' })],
    ['one step', syntheticRun({ steps: 1 })],
    ['one step and nothing else', syntheticRun({ steps: 1 }).filter((record) => record.kind === 'step')],
    ['a run that diverged', withNaN],
    ['no records', []],
    ['hostile text', hostileRun()],
  ])('draws every chart of %s without a complaint', async (_, records) => {
    const { page, problems, seen } = await open(records)
    expect(problems).toEqual([])
    expect(seen.drawn).toBe(seen.charts)
    expect(seen.overflow).toBe(0)
    expect(seen.hacked).toBe(false)
    expect(seen.text).not.toMatch(/undefined|NaN|\[object/)
    await page.close()
  })

  it('fits a phone, follows the dark theme, hides series by the legend, and reads values under the cursor', async () => {
    const { page, problems, seen } = await open(syntheticRun({ steps: 40, evalEvery: 5 }), {
      width: 380,
      height: 800,
    })
    expect(seen.overflow).toBe(0)
    const legend = page.locator('[data-chart=loss] .legend')
    expect(await legend.textContent()).toContain('step 40')
    await page.locator('[data-chart=loss]').scrollIntoViewIfNeeded()
    const plot = (await page.locator('[data-chart=loss] .u-over').boundingBox())!
    await page.mouse.move(plot.x + plot.width / 2, plot.y + plot.height / 2)
    await expect.poll(() => legend.textContent()).toMatch(/step 2[01]/)
    const button = legend.locator('button').last()
    await button.click()
    expect(await button.getAttribute('aria-pressed')).toBe('false')
    const canvas = page.locator('[data-chart=loss] canvas')
    const pixels = () => canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL())
    const light = await pixels()
    await page.emulateMedia({ colorScheme: 'dark' })
    await expect.poll(pixels).not.toBe(light)
    await page.locator('[data-group] .key button').first().click()
    expect(problems).toEqual([])
    await page.close()
  })
})
