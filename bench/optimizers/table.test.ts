import { describe, expect, it } from 'vitest'
import type { DemoResult } from './runs.ts'
import { bestOf, markdownTable, pairedDifference, settingsOf } from './table.ts'

const result = (optimizer: string, lr: number, seed: number, valBpb: number | undefined): DemoResult => ({
  ...{ optimizer, lr, seed, steps: 600, valBpb, seconds: 10 * seed },
  valLoss: undefined,
})

const settings = settingsOf([
  result('adamw', 0.01, 1, 2),
  result('adamw', 0.01, 2, 2.25),
  result('adamw', 0.02, 1, 1.5),
  result('adamw', 0.02, 2, 2.5),
  result('muon', 0.01, 1, 1.75),
  result('muon', 0.01, 2, undefined),
  result('muon', 0.02, 1, 1.25),
  result('muon', 0.02, 2, 2.5),
])

describe('the table of optimizers', () => {
  it('takes the learning rate with the lowest mean over seeds, and none with a run that diverged', () => {
    expect([bestOf(settings, 'adamw')?.lr, bestOf(settings, 'muon')?.lr]).toEqual([0.02, 0.02])
    expect(bestOf(settings, 'adamw')).toMatchObject({ mean: 2, seconds: 15, deviation: Math.SQRT1_2 })
    expect(bestOf(settingsOf([result('sgd', 1, 1, undefined)]), 'sgd')).toBeUndefined()
  })

  it('compares seed by seed', () => {
    // Differences −0.25 and 0: mean −0.125, deviation 0.25 / √2.
    expect(pairedDifference(settings[3], settings[1])).toEqual({ mean: -0.125, standardError: 0.125 })
  })

  it('has a row for each setting', () => {
    expect(markdownTable(settings)).toEqual([
      '| optimizer | learning rate | seed 1 | seed 2 | mean | time |',
      '| --- | --- | --- | --- | --- | --- |',
      '| adamw | 0.01 | 2.0000 | 2.2500 | 2.1250 ± 0.1768 | 15 s |',
      '| adamw | 0.02 | 1.5000 | 2.5000 | **2.0000 ± 0.7071** | 15 s |',
      '| muon | 0.01 | 1.7500 | diverged | diverged | 15 s |',
      '| muon | 0.02 | 1.2500 | 2.5000 | **1.8750 ± 0.8839** | 15 s |',
    ])
  })
})
