import type { EvalRecord, StepRecord } from '@tau/train'
import { describe, expect, it } from 'vitest'
import { Progress, type ProgressStream } from './progress.ts'

const step = (step: number, loss = 4): StepRecord => ({
  kind: 'step',
  step,
  loss,
  lr: 0.003,
  gradNorm: 1,
  tokens: step * 2048,
  tokensPerSec: 9001.4,
  stepMs: 500,
})
const evaluation = (step: number): EvalRecord => ({
  kind: 'eval',
  step,
  valLoss: 3.25,
  valBpb: 1.5,
  tokens: 7,
})

function stream(isTTY: boolean, columns?: number) {
  const written: string[] = []
  const target: ProgressStream = { isTTY, columns, write: (text: string) => written.push(text) }
  return { written, target }
}

describe('Progress', () => {
  it('rewrites one line on a terminal, at most ten times a second, and ends it', () => {
    const { written, target } = stream(true, 100)
    let time = 0
    const progress = new Progress({ stream: target, totalSteps: 130, now: () => time })
    progress.record(step(1))
    time = 50
    progress.record(step(2))
    time = 120
    progress.record(step(3))
    progress.record(evaluation(3))
    progress.end()
    expect(written).toEqual([
      '\rstep 1/130 · loss 4.000 · lr 3.0e-3 · 9001 tokens/s · 1:05 left\x1b[K',
      '\rstep 3/130 · loss 4.000 · lr 3.0e-3 · 9001 tokens/s · 1:04 left\x1b[K',
      '\rstep 3/130 · loss 4.000 · val 3.250 · lr 3.0e-3 · 9001 tokens/s · 1:04 left\x1b[K',
      '\rstep 3/130 · loss 4.000 · val 3.250 · lr 3.0e-3 · 9001 tokens/s · 1:04 left\x1b[K',
      '\n',
    ])
  })

  it('never wraps, and writes notes on lines of their own', () => {
    const { written, target } = stream(true, 31)
    const progress = new Progress({ stream: target, totalSteps: 130, now: () => 0 })
    progress.record(step(1))
    expect(written).toEqual(['\rstep 1/130 · loss 4.000 · lr 3\x1b[K'])
    progress.note('hello')
    expect(written.slice(1)).toEqual(['\r\x1b[K', 'hello\n'])
  })

  it('is quiet where there is no terminal: a plain line per evaluation, no control characters', () => {
    const { written, target } = stream(false)
    const progress = new Progress({ stream: target, totalSteps: 130 })
    for (let i = 1; i <= 20; i++) progress.record(step(i, 5))
    progress.record(evaluation(20))
    progress.end()
    expect(written).toEqual([
      'step 20/130 · loss 5.000 · val 3.250 · lr 3.0e-3 · 9001 tokens/s · 0:55 left · 1.500 bits/byte\n',
    ])
  })

  it('smooths the loss: 0.9 of the old, 0.1 of the new', () => {
    const { written, target } = stream(false)
    const progress = new Progress({ stream: target, totalSteps: 2 })
    progress.record(step(1, 7))
    progress.record(step(2, 5))
    progress.record(evaluation(2))
    expect(written[0]).toContain('loss 6.800 ·')
  })
})
