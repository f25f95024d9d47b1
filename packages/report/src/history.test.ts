import type { MetricsRecord } from '@tau/train'
import { describe, expect, it } from 'vitest'
import { historyOf } from './history.ts'
import { runRecord, syntheticRun } from './testing.ts'

const steps = (records: readonly MetricsRecord[]) => historyOf(records).steps.map((record) => record.step)

describe('historyOf', () => {
  it('gives each step once when a killed run was resumed from an older checkpoint', () => {
    const whole = syntheticRun({ steps: 13, evalEvery: 5 })
    const killed = whole.filter(
      (record) => record.kind !== 'end' && (record.kind === 'run' || record.step <= 11),
    )
    const resumed = whole.filter((record) => record.kind !== 'run' && record.step > 7)
    const history = historyOf([...killed, runRecord({ steps: 13 }, 7), ...resumed])
    expect(history.steps.map((record) => record.step)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13])
    expect(history.evals.map((record) => record.step)).toEqual([5, 10, 13])
    expect(history.samples.map((record) => record.step)).toEqual([5, 10, 13])
    expect(history.heads.map((record) => record.step)).toEqual([5, 10, 13])
    expect(history.resumes).toEqual([7])
    expect(history.end?.reason).toBe('finished')
  })

  it('has no end after a resume that has not ended', () => {
    const ended = syntheticRun({ steps: 3 })
    expect(historyOf(ended).end?.step).toBe(3)
    const history = historyOf([...ended, runRecord({ steps: 3 }, 3)])
    expect(history.end).toBeUndefined()
    expect(history.seconds).toBe(121.4)
  })

  it('takes the later of two records of one step, and an empty list', () => {
    const [, step] = syntheticRun({ steps: 1 })
    expect(steps([step, step])).toEqual([1])
    expect(historyOf([])).toMatchObject({
      runs: [],
      steps: [],
      evals: [],
      heads: [],
      samples: [],
      seconds: 0,
    })
  })
})
