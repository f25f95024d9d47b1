import { describe, expect, it } from 'vitest'
import { groups } from '../registry.ts'
import { claims } from './claims.ts'
import type { Figures } from './figures.ts'
import { claimLines, judge } from './verdicts.ts'

const SHAPES = 'matmul/*/*_T*/ratio_of_fma_ceiling'
const SPEED = 'decode/tau-30m/ratio_vs_torch'
const TIME = 'decode/ms_ratio_T65536_over_T1024'

const figures = (metrics: Figures['metrics'], more: Partial<Figures> = {}): Figures => ({
  ...{ metrics, spread: {}, peers: {} },
  ...more,
})

const verdictOf = (name: string, metrics: Record<string, number>) => {
  const found = judge([figures(metrics)]).find(({ claim }) => claim.metric === name)
  return found && { value: found.got?.value, at: found.got?.metric, verdict: found.verdict }
}

describe('claims', () => {
  it('are of groups that run without being named, each of another metric', () => {
    for (const { group } of claims) expect(groups[group]?.onDemand ?? false).toBe(false)
    for (const { group } of claims) expect(Object.keys(groups)).toContain(group)
    expect(new Set(claims.map(({ metric }) => metric)).size).toBe(claims.length)
  })

  it('are kept up to their bound and missed beyond it', () => {
    expect(verdictOf(SPEED, { [SPEED]: 1.5 })).toEqual({ value: 1.5, at: SPEED, verdict: 'kept' })
    expect(verdictOf(SPEED, { [SPEED]: 1.4999 })?.verdict).toBe('missed')
    expect(verdictOf(TIME, { [TIME]: 2 })?.verdict).toBe('kept')
    expect(verdictOf(TIME, { [TIME]: 2.0001 })?.verdict).toBe('missed')
  })

  it('are not kept by what was not measured', () => {
    expect(verdictOf(SPEED, {})).toEqual({ value: undefined, at: undefined, verdict: 'not measured' })
    expect(judge([]).every(({ verdict }) => verdict === 'not measured')).toBe(true)
  })

  it('of many metrics are judged by the worst', () => {
    const name = (product: string) => `matmul/${product}/ratio_of_fma_ceiling`
    const metrics = {
      ...{ [name('nt/mlp_up_T1024')]: 0.9, [name('tn/lm_head_dw_T1024')]: 0.61 },
      ...{ [name('nn/768')]: 0.1, 'matmul/ratio_of_fma_ceiling': 0.2 }, // squares have a claim of their own
      'matmul/nt/mlp_up_T1024/2_threads_scaling': 0.3,
    }
    const worst = { value: 0.61, at: name('tn/lm_head_dw_T1024'), verdict: 'kept' }
    expect(verdictOf(SHAPES, metrics)).toEqual(worst)
    expect(verdictOf(SHAPES, { ...metrics, [name('nn/lm_head_dx_T1024')]: 0.5 })).toEqual({
      ...{ value: 0.5, at: name('nn/lm_head_dx_T1024'), verdict: 'missed' },
    })
  })

  it('of an adapter in software are judged by its figures alone', () => {
    const name = 'gpu/matmul/512/tuned_over_portable'
    const on = (adapter: string | undefined, value: number) => ({
      ...figures({ [name]: value }),
      ...(adapter !== undefined && { adapter }),
    })
    const verdictOn = (...figures: Parameters<typeof judge>[0]) =>
      judge(figures).find(({ claim }) => claim.metric === name)
    const [software, hardware] = [on('SwiftShader Device (Subzero), swiftshader', 6), on('NVIDIA', 0.8)]
    expect(verdictOn(hardware, software)).toMatchObject({ got: { value: 6, count: 1 }, verdict: 'kept' })
    expect(verdictOn(hardware, on(undefined, 7))?.verdict).toBe('not measured')
  })

  it('are told one by one, then counted', () => {
    const metrics = {
      ...{ [SPEED]: 1.41971, [TIME]: 2 },
      'matmul/nt/mlp_up_T1024/ratio_of_fma_ceiling': 0.7,
    }
    const verdicts = judge([figures(metrics)])
    const lines = claimLines(verdicts)
    expect(lines).toHaveLength(claims.length + 1)
    expect(lines).toContain(`claim ${SPEED} | asked ≥ 1.5x as fast as PyTorch | got 1.42x | MISSED`)
    expect(lines).toContain(
      `claim ${TIME} | asked ≤ 2x the time per token of a context of 1024 | got 2x | kept`,
    )
    expect(lines).toContain(
      `claim ${SHAPES} | asked ≥ 0.6x the rate of multiply-adds in registers, by every product of tau-30m | got 0.7x at matmul/nt/mlp_up_T1024/ratio_of_fma_ceiling, worst of 1 | kept`,
    )
    expect(lines).toContain(
      'claim attention/dot/gflops | asked ≥ 20 GFLOPS by the dot-product baseline | got – | not measured',
    )
    expect(lines.at(-1)).toBe(`claims: 2 kept, 1 missed, ${claims.length - 3} not measured`)
    expect(claimLines([])).toEqual([])
  })

  it('are told with their spread, and with the peer that they compare with', () => {
    const torch = { version: 'PyTorch 1.2.3', environment: {} }
    const of = (metric: string) =>
      claimLines(
        judge([figures({ [metric]: 1.6 }, { spread: { [metric]: 0.034 }, peers: { torch } })]).filter(
          ({ got }) => got,
        ),
      )[0]
    expect(of(SPEED)).toContain('| got 1.6x ±3% against PyTorch 1.2.3 | kept')
    expect(of(TIME)).toContain('| got 1.6x ±3% | kept')
  })

  it('show on which side of its bound a value lies', () => {
    const [line] = claimLines(judge([figures({ [TIME]: 2.004 })]).filter(({ got }) => got))
    expect(line).toContain('got 2.004x | MISSED')
  })
})
