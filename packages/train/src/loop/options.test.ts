import { describe, expect, it } from 'vitest'
import { checkTrainOptions, defaultTrainOptions, type TrainOptions } from './options.ts'

describe('checkTrainOptions', () => {
  it('takes the defaults and the edges of every range', () => {
    checkTrainOptions(defaultTrainOptions)
    checkTrainOptions({
      ...defaultTrainOptions,
      steps: 1,
      batchSize: 1,
      accumulate: 1,
      calibrateEvery: 1,
      minLr: defaultTrainOptions.lr,
      warmup: 0,
      seed: 0,
      evalEvery: 0,
      evalTokens: Number.POSITIVE_INFINITY,
      headsEvery: 0,
      sampleEvery: 0,
      checkpointEvery: 0,
    })
  })

  it('refuses options that the optimizer refuses', () => {
    const optimizer = { name: 'muon', momentum: 1 } as const
    expect(() => checkTrainOptions({ ...defaultTrainOptions, optimizer })).toThrow(
      'Muon: momentum must be at least 0 and below 1, got 1',
    )
  })

  const cases: [keyof TrainOptions, readonly number[], string][] = [
    ...(['steps', 'batchSize', 'accumulate', 'calibrateEvery'] as const).map(
      (field): [keyof TrainOptions, readonly number[], string] => [
        field,
        [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY],
        'a whole number of at least 1',
      ],
    ),
    ...(['warmup', 'seed', 'evalEvery', 'headsEvery', 'sampleEvery', 'checkpointEvery'] as const).map(
      (field): [keyof TrainOptions, readonly number[], string] => [
        field,
        [-1, 0.5, Number.NaN, 2 ** 53],
        'a whole number of at least 0',
      ],
    ),
    ['lr', [0, -1, Number.NaN, Number.POSITIVE_INFINITY], 'a finite number above 0'],
    [
      'minLr',
      [-1e-9, defaultTrainOptions.lr * 1.01, Number.NaN],
      `between 0 and lr = ${defaultTrainOptions.lr}`,
    ],
    ['evalTokens', [0, Number.NaN], 'at least 1'],
  ]
  it.for(cases)('refuses %s outside its range: %o', ([field, values, rule]) => {
    for (const value of values)
      expect(() => checkTrainOptions({ ...defaultTrainOptions, [field]: value })).toThrow(
        `train: ${field} must be ${rule}, got ${value}`,
      )
  })
})
