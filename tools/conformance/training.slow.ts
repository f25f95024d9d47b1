import { cpu, type Device, gpu } from '@tau/tensor'
import { gpuModes } from '@tau/testing'
import { skipsChromium } from '@tau/testing/chromium'
import { describe, expect, it } from 'vitest'
import { inChromium } from './page/browser.ts'
import { trainLosses } from './train-losses.ts'

const STEPS = 50
const kinds = [{ attention: 'tau' }, { attention: 'dot' }] as const

async function losses(open: () => Promise<Device>, options: (typeof kinds)[number]): Promise<number[]> {
  const device = await open()
  try {
    return await trainLosses(device, STEPS, options)
  } finally {
    await device.close()
  }
}

/** Losses are compared step by step. Rounding differs between devices; within fifty steps it grows to 1e-3 at
 *  most. */
function expectSame(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(STEPS)
  for (const [step, loss] of expected.entries())
    expect(Math.abs(found[step] - loss) / loss, `step ${step}: ${found[step]}, cpu ${loss}`).toBeLessThan(
      1e-3,
    )
  expect(expected[STEPS - 1]).toBeLessThan(0.9 * expected[0])
}

describe.each(kinds)(`${STEPS} steps of a tiny model with attention $attention`, (options) => {
  it.runIf(gpuModes.includes('webgpu'))(
    'lose on webgpu in Node what they lose on cpu',
    { timeout: 180_000 },
    async () => {
      expectSame(await losses(() => gpu({ mode: 'webgpu' }), options), await losses(() => cpu(), options))
    },
  )

  it.skipIf(skipsChromium())(
    'lose on webgpu in chromium what they lose on cpu',
    { timeout: 180_000 },
    async () => {
      const found = await inChromium((page) =>
        page.evaluate(([steps, options]) => window.tauPage.train('webgpu', steps, options), [
          STEPS,
          options,
        ] as const),
      )
      expectSame(found, await losses(() => cpu(), options))
    },
  )
})
