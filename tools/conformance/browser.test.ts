import { CHROMIUM, NO_GPU, type Page, skipsChromium } from '@tau/testing/chromium'
import { fixturesFolder } from '@tau/testing/oracle/files'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { inChromium } from './page/browser.ts'

/** Kernels that no case here runs. They are for axes of more than 2²⁰ elements, for a loss over more than 12
 *  million logits (its products add to others), and for the gradient of a decay that is absent. */
const LEFT_OUT = [
  'addOuter',
  'subOuter',
  'mulOuter',
  'divOuter',
  'maximumOuter',
  'minimumOuter',
  'powOuter',
  'powSlopeXOuter',
  'powSlopeYOuter',
  'compareOuter',
  'matmul_nn_add',
  'matmul_nt_add',
  'matmul_tn_add',
  'transposeOuter',
  'whereOuter',
  'dotGradDecay_none',
  'dotGradNow_none',
  'lambdaGradDecay_none',
  'lambdaGradNow_none',
]
const FILES = ['rope.json', 'taumode.json', 'adamw.json']

/** Kernels that did not run. For a fold, one of its forms (rows, parts of rows, columns) is enough. */
function idleOf(runs: readonly (readonly [string, boolean])[]): string[] {
  const familyOf = (name: string) => name.replace(/(Rows|Parts|Columns)$/, '')
  const active = new Set(runs.filter(([, ran]) => ran).map(([name]) => familyOf(name)))
  return runs.map(([name]) => familyOf(name)).filter((family) => !active.has(family))
}

const WITHOUT_GPU = [...NO_GPU, '--disable-3d-apis']

describe.skipIf(skipsChromium())(`${CHROMIUM} without a GPU`, () => {
  it('says what is missing, and falls back aloud', async () => {
    await inChromium(
      async (page) => {
        const failures = await page.evaluate(() =>
          Promise.all([window.tauPage.open('webgpu'), window.tauPage.open('webgl2'), window.tauPage.open()]),
        )
        const [webgpu, webgl2, any] = failures
        expect(webgpu).toMatch(
          /^BackendError: gpu: (WebGPU must have an adapter|mode webgpu needs a browser)/,
        )
        expect(webgl2).toMatch(/^BackendError: gpu: mode webgl2 needs a browser with WebGL 2, got none/)
        expect(any).toMatch(/^webasm: not webgpu: .+; not webgl2: /)
      },
      { flags: WITHOUT_GPU },
    )
  })
})

describe.skipIf(skipsChromium())(`gpu backend in ${CHROMIUM}`, () => {
  let page: Page
  let close: () => void
  let closed: Promise<void>
  beforeAll(async () => {
    await new Promise<void>((opened, failed) => {
      closed = inChromium(
        (found) => {
          page = found
          opened()
          return new Promise<void>((resolve) => {
            close = resolve
          })
        },
        { dir: fixturesFolder },
      )
      closed.catch(failed)
    })
  })
  afterAll(async () => {
    close()
    await closed
  })

  it.each(['webgpu', 'webgl2'] as const)('every kernel gives what it gives on cpu, mode %s', async (mode) => {
    const { errors, runs } = await page.evaluate((mode) => window.tauPage.kernels(mode), mode)
    // f32 sums in another order, and exponentials and logarithms that are right to 2e-6.
    for (const [name, error] of Object.entries(errors)) expect(error, name).toBeLessThan(1e-5)
    expect(idleOf(runs)).toEqual(LEFT_OUT)
  })

  it.each(['webgpu', 'webgl2'] as const)('fixtures pass, mode %s', async (mode) => {
    const { device, reports } = await page.evaluate(
      ([mode, files]) => window.tauPage.conformance(mode, files),
      [mode, FILES] as const,
    )
    expect(device).toMatchObject({ backend: 'gpu', variant: mode, fallbacks: [] })
    expect(device.adapter).toMatch(/swiftshader/i)
    const present = reports.filter((report) => report.present)
    expect(present.map(({ group, failed }) => ({ group, failed }))).toEqual(
      ['adamw', 'rope', 'taumode'].map((group) => ({ group, failed: [] })),
    )
  })
})
