import { describe, expect, it } from 'vitest'
import type { TokenTime } from './model-runs.ts'
import { paperMarkdown, paperTable, summarize, toCsv } from './results.ts'

/** 256 tokens: those of tau take 2, 3, 4 … ms after a first one of 100, those of the dot product half as
 *  long. */
const tokens = (['tau', 'dot'] as const).flatMap((attention) =>
  Array.from(
    { length: 256 },
    (_, token): TokenTime => ({
      ...{ attention, mode: 'kv_cache', prompt: 384, token, cacheBytes: 10 * (token + 1) },
      ms: (token === 0 ? 100 : token + 1) / (attention === 'tau' ? 1 : 2),
    }),
  ),
)

describe('kvcache results', () => {
  it('are percentiles of the tokens after the first, per length', () => {
    const [tau] = summarize(tokens)
    expect(tau).toMatchObject({ attention: 'tau', generated: 128, timed: 128, firstTokenMs: 100 })
    // 127 tokens of 2 … 128 ms: ranks 63, 120 and 125 of 0 … 126
    expect([tau.p50Ms, tau.p95Ms, tau.p99Ms, tau.cacheBytes]).toEqual([65, 122, 127, 1280])
  })

  it('stand beside what the paper has', () => {
    const rows = paperTable(summarize(tokens))
    expect(rows[0]).toEqual({
      ...{ mode: 'kv_cache', generated: 128, published: '0.92' },
      ours: [{ prompt: 384, ratio: 2 }],
    })
    expect(paperMarkdown(rows)).toMatch(/^\| kv_cache \| 128 +\| 0.92 +\| 2.00 +\| – +\| – +\|$/m)
  })

  it('turn the speedups of the paper into ratios of time', () => {
    const published = paperTable([]).map(
      ({ mode, generated, published }) => `${mode} ${generated} ${published}`,
    )
    expect(published).toEqual([
      ...[
        'kv_cache 128 0.92',
        'kv_cache 256 0.89',
        'kv_cache 512 0.85',
        'kv_cache 1024 0.82',
        'kv_cache 2048 –',
      ],
      ...[128, 256, 512, 1024, 2048].map((generated) => `no_cache ${generated} 1.25 to 1.33`),
    ])
  })

  it('are CSV with a head', () => {
    expect(toCsv([{ a: 1, b: 'x' }])).toBe('a,b\n1,x\n')
    expect(toCsv([])).toBe('')
  })
})
