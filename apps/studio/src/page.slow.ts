import { mobyDick } from '@tau/demo'
import { expectNear } from '@tau/testing'
import {
  type Browser,
  launchChromium,
  NO_GPU,
  type Page,
  SOFTWARE_GPU,
  skipsChromium,
} from '@tau/testing/chromium'
import type { MetricsRecord, StepRecord } from '@tau/train'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {} from './main.ts'
import type { Backend, Settings } from './messages.ts'
import { run } from './run.ts'
import { buildSite, openTab, type Site, serveSources } from './testing.ts'

const STEPS = 24
const FIELDS = { steps: STEPS, batchSize: 2, seed: 7, sampleEvery: 12 }

/** The records of one kind. */
const only = <K extends MetricsRecord['kind']>(records: readonly MetricsRecord[], kind: K) =>
  records.filter((record): record is Extract<MetricsRecord, { kind: K }> => record.kind === kind)

async function begin(page: Page, backend: Backend, fields: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) await page.fill(`[name="train.${name}"]`, String(value))
  await page.selectOption('[name=backend]', backend)
  await page.click('#start')
}

const recordsOf = (page: Page): Promise<readonly MetricsRecord[]> =>
  page.evaluate(() => globalThis.studio!.records)
const stepsOf = async (page: Page): Promise<StepRecord[]> => only(await recordsOf(page), 'step')

/** Waits for a state of the page, or for a step of its run. If the run fails, throws its error. */
async function reach(page: Page, wanted: { readonly state?: string; readonly step?: number }): Promise<void> {
  await page.waitForFunction(
    ({ state, step = Number.POSITIVE_INFINITY }) => {
      const now = document.documentElement.dataset.state
      const last = globalThis.studio?.records.findLast(({ kind }) => kind === 'step')?.step ?? 0
      return now === 'failed' || now === state || last >= step
    },
    wanted,
    { timeout: 120_000 },
  )
  if (wanted.state !== 'failed') expect(await page.textContent('#error')).toBe('')
}

/** Does the same run in Node, on the cpu backend. */
async function runInNode(fields: Readonly<Record<string, number>>, text?: string): Promise<MetricsRecord[]> {
  const records: MetricsRecord[] = []
  const settings: Settings = {
    backend: 'wasm',
    train: fields,
    text,
  }
  const watcher = { stage() {}, record: async (record: MetricsRecord) => void records.push(record) }
  await run(settings, watcher, new AbortController().signal)
  return records
}

const lossesOf = (records: readonly MetricsRecord[]) => only(records, 'step').map(({ loss }) => loss)

/** Tolerance, because backends add in different orders. */
const ROUNDING = { atol: 1e-4 }

/** Number of pixels in the chart of a panel that are nearer to the colour of the training loss than to
 *  grey. */
const bluePixels = (page: Page, panel: string): Promise<number> =>
  page.evaluate((selector) => {
    const canvas = document.querySelector<HTMLCanvasElement>(`${selector} canvas`)!
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
    let count = 0
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 60 && data[i + 2] - data[i] > 60) count++
    return count
  }, panel)

const mean = (records: readonly StepRecord[]) =>
  records.reduce((sum, { loss }) => sum + loss, 0) / records.length

describe.skipIf(skipsChromium())(`the studio (skipped without a browser)`, () => {
  let site: Site
  let browser: Browser
  let expected: readonly MetricsRecord[]
  beforeAll(async () => {
    site = await buildSite()
    browser = await launchChromium(SOFTWARE_GPU)
    expected = await runInNode(FIELDS)
  })
  afterAll(async () => {
    await browser.close()
    await site[Symbol.asyncDispose]()
  })

  it.each(['isolated', 'open'] as const)('trains on WebAssembly as Node does: %s page', async (kind) => {
    await using tab = await openTab(browser, site[kind])
    const { page, problems } = tab
    await begin(page, 'wasm', FIELDS)
    await reach(page, { step: 5 })
    await page.click('#pause')
    await reach(page, { state: 'paused' })
    const before = (await stepsOf(page)).length
    await page.waitForTimeout(500)
    expect((await stepsOf(page)).length).toBe(before)
    expect(before).toBeLessThan(STEPS)
    await page.click('#pause')
    await reach(page, { state: 'finished' })

    const records = await recordsOf(page)
    const steps = only(records, 'step')
    expect(steps).toHaveLength(STEPS)
    // Logarithms in the manifold may differ in the last bit between engines. After 24 steps the effect is
    // still small.
    expectNear(lossesOf(records), lossesOf(expected), { atol: 1e-3 })
    expect(mean(steps.slice(-4))).toBeLessThan(mean(steps.slice(0, 4)) - 0.5)
    expect(only(records, 'sample').map(({ step }) => step)).toEqual([0, 12, 24])

    const [{ device }] = only(records, 'run')
    const isThreaded = kind === 'isolated'
    const cores = await page.evaluate(() => navigator.hardwareConcurrency)
    expect([device.backend, device.threads]).toEqual(['cpu', isThreaded ? cores : 1])
    expect(await page.textContent('#notes')).toMatch(isThreaded ? /^$/ : /not cross-origin isolated/)
    expect(await page.textContent('#device')).toContain(device.variant)
    expect(await page.textContent('#tiles')).toContain(`of ${STEPS}`)
    expect(await page.textContent('#samples')).toContain('The whale')
    expect(await bluePixels(page, '#loss')).toBeGreaterThan(500)
    expect(problems).toEqual([])
  })

  /** A page that trains on the short text, and the same run in Node. */
  async function beginShort(page: Page, backend: Backend): Promise<readonly MetricsRecord[]> {
    const text = (await mobyDick()).slice(30_000, 40_000) // short, so a validation is fast
    const fields = { ...FIELDS, steps: 3, batchSize: 1, sampleEvery: 0 }
    await page.selectOption('[name=source]', 'paste')
    await page.fill('textarea', text)
    await begin(page, backend, fields)
    return runInNode(fields, text)
  }

  it('trains on WebGPU as Node does on WebAssembly', async () => {
    await using tab = await openTab(browser, site.isolated)
    const { page, problems } = tab
    const wanted = await beginShort(page, 'webgpu')
    await reach(page, { state: 'finished' })
    const records = await recordsOf(page)
    const device = { backend: 'gpu', variant: 'webgpu', adapter: expect.stringMatching(/swiftshader/i) }
    expect(only(records, 'run')[0].device).toMatchObject(device)
    expectNear(lossesOf(records), lossesOf(wanted), ROUNDING)
    expect(problems).toEqual([])
  }, 120_000)

  // A step takes 20 s with a software driver.
  it('validates on WebGL 2 as Node does on WebAssembly', async () => {
    await using tab = await openTab(browser, site.isolated)
    const { page, problems } = tab
    const wanted = await beginShort(page, 'webgl2')
    await page.waitForFunction(
      () => globalThis.studio?.records.some(({ kind }) => kind === 'eval'),
      undefined,
      {
        timeout: 100_000,
      },
    )
    const records = await recordsOf(page)
    expect(only(records, 'run')[0].device).toMatchObject({ backend: 'gpu', variant: 'webgl2' })
    const [losses, inNode] = [records, wanted].map((list) => [only(list, 'eval')[0].valLoss])
    expectNear(losses, inNode, ROUNDING)
    expect(problems).toEqual([])
  }, 120_000)

  it('stops when told to', async () => {
    await using tab = await openTab(browser, site.isolated)
    const { page, problems } = tab
    await begin(page, 'wasm', { ...FIELDS, steps: 5000, sampleEvery: 0 })
    await reach(page, { step: 2 })
    await page.click('#stop')
    await reach(page, { state: 'idle' })
    const records = await recordsOf(page)
    const last = only(records, 'eval').at(-1)
    expect(records.at(-1)).toMatchObject({ kind: 'end', reason: 'interrupted', step: last?.step })
    expect(problems).toEqual([])
  })

  it('says what is wrong with a setting or a text, and starts nothing', async () => {
    await using tab = await openTab(browser, site.isolated)
    const { page } = tab
    await begin(page, 'wasm', { ...FIELDS, steps: 0.5 })
    expect(await page.textContent('#error')).toMatch(
      /train: steps must be a whole number of at least 1, got 0\.5/,
    )
    await page.selectOption('[name=source]', 'file')
    await begin(page, 'wasm', FIELDS)
    expect(await page.textContent('#error')).toMatch(
      /there must be a file to learn from, got none; choose a file/,
    )
    await page.selectOption('[name=source]', 'paste')
    await page.fill('textarea', 'Too short.')
    await begin(page, 'wasm', FIELDS)
    await reach(page, { state: 'failed' })
    expect(await page.textContent('#error')).toMatch(/got/)
  })

  it('says which backends a browser does not have, and why auto takes WebAssembly', async () => {
    const poor = await launchChromium(NO_GPU)
    try {
      await using tab = await openTab(poor, site.isolated)
      const { page, problems } = tab
      expect(await page.textContent('#notes')).toMatch(/WebGPU: .*WebGL 2: /)
      const disabled = await page.$$eval('[name=backend] option:disabled', (options) =>
        options.map((option) => option.getAttribute('value')),
      )
      expect(disabled).toEqual(['webgpu', 'webgl2'])
      // Large enough for a GPU.
      await begin(page, 'auto', { ...FIELDS, batchSize: 16, steps: 1, sampleEvery: 0 })
      await reach(page, { state: 'finished' })
      expect(await page.textContent('#device')).toMatch(/cpu .* because .* are worth a GPU/)
      expect(await page.textContent('#notes')).toMatch(/no GPU: .*not webgpu: .*not webgl2: /)
      // The browser itself warns if it has no adapter.
      expect(
        problems.filter((problem) => !/No available adapters|Failed to create WebGPU/.test(problem)),
      ).toEqual([])
    } finally {
      await poor.close()
    }
  })

  it('runs from its sources in vite’s development server', async () => {
    await using dev = await serveSources()
    await using tab = await openTab(browser, dev.url)
    const { page, problems } = tab
    await begin(page, 'wasm', { ...FIELDS, steps: 1, sampleEvery: 0 })
    await reach(page, { state: 'finished' })
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true)
    expect(problems).toEqual([])
  })

  it.each(['light', 'dark'] as const)('fits a telephone, %s', async (colorScheme) => {
    const options = { viewport: { width: 400, height: 800 }, colorScheme }
    await using tab = await openTab(browser, site.isolated, options)
    const { page, problems } = tab
    await begin(page, 'wasm', { ...FIELDS, steps: 3, sampleEvery: 1 })
    await reach(page, { state: 'finished' })
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400)
    expect(await bluePixels(page, '#loss')).toBeGreaterThan(50)
    expect(problems).toEqual([])
  })
})
