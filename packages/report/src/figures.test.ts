import { attentionKind } from '@tau/model'
import { distributionsOf } from '@tau/train'
import { describe, expect, it } from 'vitest'
import { driftChart, join, lossChart, meanOf, stepCharts } from './figures.ts'
import { type History, historyOf } from './history.ts'
import { distributionCharts, parameterCharts as scalarCharts } from './page/head-figures.ts'
import { syntheticRun } from './testing.ts'

const tau = historyOf(syntheticRun({ steps: 60, nLayer: 3, nHead: 4, nKvHead: 2, evalEvery: 7 }))
const paper = historyOf(syntheticRun({ steps: 60, preset: 'paper' }))
const dot = historyOf(syntheticRun({ steps: 60, attention: 'dot' }))

const kind = attentionKind('tau')
const lambdaCharts = (history: History) => distributionCharts(history, kind.distributions)
const parameterCharts = (history: History) => scalarCharts(history, kind.scalars)

describe('join', () => {
  it('aligns columns on their steps, with gaps', () => {
    expect(
      join([
        { steps: [1, 3], values: [10, 30] },
        { steps: [2, 3], values: [0.2, Number.NaN] },
      ]),
    ).toEqual({
      x: [1, 2, 3],
      values: [
        [10, null, 30],
        [null, 0.2, null],
      ],
    })
  })
})

describe('lossChart', () => {
  it('has raw, smoothed and validation loss, and bits per byte = nats / (ln 2 · bytes per token)', () => {
    const chart = lossChart(tau)!
    expect(chart.series.map((series) => series.label)).toEqual([
      'train, each step',
      'train, smoothed',
      'validation',
    ])
    expect(chart.series[0].values).toHaveLength(60)
    const { valLoss, valBpb } = tau.evals[2]
    const drawn = chart.series[2].values[chart.x.indexOf(tau.evals[2].step)]!
    expect(drawn).toBeCloseTo(valLoss, 3)
    expect(drawn * chart.right!.factor!).toBeCloseTo(valBpb, 3)
  })

  it('draws at most 1200 of 10 000 steps', () => {
    const chart = lossChart(historyOf(syntheticRun({ steps: 10_000 })))!
    expect(chart.x.length).toBeLessThan(1_260)
    expect(stepCharts(historyOf(syntheticRun({ steps: 10_000 })))[1].x.length).toBeLessThanOrEqual(1_200)
  })

  it('leaves out what is missing', () => {
    expect(lossChart(historyOf([]))).toBeUndefined()
    const evalsOnly = historyOf(syntheticRun({ steps: 9 }).filter((record) => record.kind === 'eval'))
    const chart = lossChart(evalsOnly)!
    expect(chart.series.map((series) => series.label)).toEqual(['validation'])
    expect(chart.right).toBeUndefined()
  })
})

describe('driftChart', () => {
  it('puts mean λ of queries and keys on the left and the loss on the right', () => {
    const chart = driftChart(tau, kind)!
    expect(chart.series.map((series) => series.axis)).toEqual(['left', 'left', 'right', 'right'])
    const layers = tau.heads[0].layers
    const byHand =
      layers.flatMap((layer) => distributionsOf(layer, 'lambdaQ')).reduce((sum, head) => sum + head.mean, 0) /
      12
    expect(meanOf(tau.heads[0], 'lambdaQ')).toBeCloseTo(byHand, 12)
    expect(chart.series[0].values[chart.x.indexOf(tau.heads[0].step)]).toBeCloseTo(byHand, 4)
  })

  it('is absent for a model without λ', () => {
    expect(driftChart(dot, kind)).toBeUndefined()
    expect(lambdaCharts(dot)).toEqual([])
  })
})

describe('distributionCharts', () => {
  it('has a chart per layer and query head, with the kv head it reads', () => {
    const layers = lambdaCharts(tau)
    expect(layers.map(({ charts }) => charts.map((chart) => chart.title))).toEqual(
      Array(3).fill(['head 0 · kv head 0', 'head 1 · kv head 0', 'head 2 · kv head 1', 'head 3 · kv head 1']),
    )
    const chart = layers[1].charts[3]
    const [lambdaQ, lambdaK] = ['lambdaQ', 'lambdaK'].map((name) =>
      distributionsOf(tau.heads[0].layers[1], name),
    )
    const first = (label: string, color: string) =>
      chart.series.find((series) => series.label === label && series.color === color)!.values[0]
    expect(first('λ of queries', 'teal')).toBeCloseTo(lambdaQ[3].q50, 4)
    expect(first('q95', 'teal')).toBeCloseTo(lambdaQ[3].q95, 4)
    expect(first('λ of keys', 'violet')).toBeCloseTo(lambdaK[1].q50, 4)
    expect(first('q05', 'violet')).toBeCloseTo(lambdaK[1].q05, 4)
  })

  it('bands join edges of one kind: the upper edge lies above the lower', () => {
    const { series, bands } = lambdaCharts(tau)[0].charts[1]
    expect(bands!.map(({ upper, lower }) => [series[upper].label, series[lower].label])).toEqual([
      ['q95', 'q05'],
      ['q75', 'q25'],
      ['q95', 'q05'],
      ['q75', 'q25'],
    ])
    for (const { upper, lower, color } of bands!) {
      expect([series[upper].color, series[lower].color]).toEqual([color, color])
      for (const [i, value] of series[upper].values.entries())
        expect(value).toBeGreaterThan(series[lower].values[i]!)
    }
  })

  it('has one y range for all charts', () => {
    const ranges = lambdaCharts(tau).flatMap(({ charts }) => charts.map((chart) => String(chart.left.range)))
    expect(new Set(ranges).size).toBe(1)
  })
})

describe('parameterCharts', () => {
  it('draws what is learned on log axes, and says what is fixed', () => {
    const [temperature, own, decay] = parameterCharts(tau)
    expect(temperature).toMatchObject({ name: 'Temperature', headCount: 4, fixed: undefined })
    expect(temperature.charts).toHaveLength(3)
    expect(temperature.charts[0].left.isLog).toBe(true)
    expect(own).toMatchObject({ name: 'τ', headCount: 2 })
    expect(decay.charts[2].left.isLog).toBe(false)
    expect(parameterCharts(paper).map(({ name, fixed }) => [name, fixed])).toEqual([
      ['Temperature', 1],
      ['τ', 1],
    ])
    expect(parameterCharts(dot).map(({ name }) => name)).toEqual(['Decay rate'])
  })
})
