import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type Measurements, type Metrics, parseRecord, recordOf } from './records/record.ts'
import { groups } from './registry.ts'

const script = fileURLToPath(new URL('run.ts', import.meta.url))

function bench(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=source', script, ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

const measured = (metrics: Metrics): Measurements => ({ metrics, spread: {}, peers: {}, skipped: {} })

/** The metrics of a run that must succeed, from the JSON in its last line. */
function metricsOf(...args: string[]): Metrics {
  const { status, stdout, stderr } = bench(...args)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const lines = stdout.trimEnd().split('\n')
  const { command, metrics } = parseRecord(lines[lines.length - 1], 'the last line')
  const written = args.indexOf('--json')
  const measuring = written < 0 ? args : args.toSpliced(written, 2)
  expect(command).toBe(['npm run bench --', ...measuring].join(' '))
  for (const value of Object.values(metrics)) expect(value).toBeGreaterThan(0)
  return metrics
}

describe('npm run bench', () => {
  const names = Object.keys(groups).join(', ')
  const usual = Object.keys(groups).filter((name) => !groups[name].onDemand)

  it.each([
    [[], []],
    [['--help'], ['--filter', '--json', '--report', '--install']],
  ])('lists the groups with %j, a line for each', (args, flags) => {
    const { status, stdout } = bench(...args)
    expect(status).toBe(0)
    for (const word of flags) expect(stdout).toContain(word)
    for (const [name, { summary, onDemand }] of Object.entries(groups))
      expect(stdout).toMatch(new RegExp(`^ +${name}${onDemand ? ' \\*' : ''} +${summary}$`, 'm'))
  })

  it('refuses a group that does not exist, and lists those that do', () => {
    for (const name of ['kernel', 'constructor']) {
      const { status, stderr } = bench(name)
      expect(status).toBe(1)
      expect(stderr).toContain(`bench: group must be one of ${names}, all, got "${name}"`)
    }
  })

  it('refuses flags without a group', () => {
    const { status, stderr } = bench('--filter', 'matmul')
    expect(status).toBe(1)
    expect(stderr).toContain('bench: flags must come with a group or a file, got --filter matmul')
  })

  it('refuses a filter that matches nothing in one group, or in all', () => {
    const one = bench('kernels', '--filter', 'no such bench')
    expect(one.status).toBe(1)
    expect(one.stderr).toContain('--filter must match the name of a bench of kernels, got "no such bench"')
    const all = bench('all', '--filter', 'no such bench')
    expect(all.status).toBe(1)
    expect(all.stderr).toContain(
      `--filter must match the name of a bench of ${usual.join(', ')}, got "no such bench"`,
    )
  })

  it('measures all groups in which the filter matches, and writes what it printed', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tau-bench-'))
    try {
      const file = join(folder, 'bench.json')
      const metrics = metricsOf('all', '--filter', 'graph/knn/features', '--json', file)
      const names = ['graph/knn/features/ms', 'graph/knn/features/nodes_per_s']
      expect(Object.keys(metrics)).toEqual(names)
      const record = parseRecord(readFileSync(file, 'utf8'), file)
      expect(record.metrics).toEqual(metrics)
      expect(Object.keys(record.spread)).toEqual(names)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('times a kernel and its rival in one race', () => {
    const name = 'attention/forward_T256_D32'
    expect(Object.keys(metricsOf('kernels', '--filter', name))).toEqual([
      `lambda-${name}/gflops`,
      `lambda-${name}/2_threads_scaling`,
      `lambda-${name}/ratio_of_fma_ceiling`,
      `lambda-${name}/ratio_vs_dot`,
      `dot-${name}/gflops`,
      `dot-${name}/2_threads_scaling`,
      `dot-${name}/ratio_of_fma_ceiling`,
    ])
  })

  it('times a rival by itself where the filter leaves the other out', () => {
    const name = 'dot-attention/forward_T256_D32'
    expect(Object.keys(metricsOf('kernels', '--filter', name))).toEqual([
      `${name}/gflops`,
      `${name}/2_threads_scaling`,
      `${name}/ratio_of_fma_ceiling`,
    ])
  })

  it('holds what memory limits against a copy', () => {
    expect(Object.keys(metricsOf('kernels', '--filter', 'adamw/'))).toEqual([
      'adamw/mlp_up/gb_per_s',
      'adamw/mlp_up/2_threads_scaling',
      'adamw/mlp_up/ratio_vs_memory_copy',
    ])
  })

  it('times the ways to compute an attention in one race', () => {
    const name = 'crossover/forward/T64_D32'
    expect(Object.keys(metricsOf('crossover', '--filter', `${name}/`))).toEqual([
      `${name}/fast_ms`,
      `${name}/speedup_vs_quadratic`,
      `${name}/quadratic_ms`,
    ])
  })

  it('reads files of before: tells their claims, writes their page and draws their plots', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tau-report-'))
    try {
      const write = (name: string, command: string, metrics: Record<string, number>): string => {
        const file = join(folder, name)
        writeFileSync(file, JSON.stringify(recordOf(command, measured(metrics))))
        return file
      }
      const points = [128, 1024, 8192].flatMap((length) =>
        ['fast', 'dot'].map((kernel): [string, number] => [
          `sweep/forward/T${length}/${kernel}_ms`,
          length / 100,
        ]),
      )
      const sweep = write('sweep.json', 'npm run bench -- sweep', Object.fromEntries(points))
      const blas = write('blas.json', 'npm run bench -- blas', { 'blas/ratio_vs_openblas': 0.8 })
      const { status, stdout, stderr } = bench(sweep, blas, '--report', folder)
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' }) // a missed claim is no failure
      const lines = stdout.trimEnd().split('\n')
      expect(lines).toContainEqual(
        expect.stringMatching(/^claim blas\/ratio_vs_openblas .* got 0\.8x \| MISSED$/),
      )
      expect(lines.slice(-3)).toEqual([
        expect.stringMatching(/^claims: 0 kept, 1 missed, \d+ not measured$/),
        `written: ${join(folder, 'RESULTS.md')}`,
        `written: ${join(folder, 'results/forward-ms.svg')}`,
      ])
      const page = readFileSync(join(folder, 'RESULTS.md'), 'utf8')
      expect(page).toContain('- command `npm run bench -- sweep`')
      expect(page).toContain('](results/forward-ms.svg)')
      const svg = readFileSync(join(folder, 'results/forward-ms.svg'), 'utf8')
      for (const text of [
        'Causal attention, forward',
        'length T, tokens',
        'O(T log T)',
        'dot product',
        '10 ms',
      ])
        expect(svg).toContain(text)

      const again = bench(blas, sweep, '--report', folder)
      expect(again.status).toBe(0)
      expect(readFileSync(join(folder, 'RESULTS.md'), 'utf8')).toBe(page)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('refuses files beside groups, files that are none of its own, and the same figure twice', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tau-report-'))
    try {
      const file = join(folder, 'bench.json')
      writeFileSync(file, '{"metrics": {}}')
      expect(bench(file).stderr).toContain(`bench: ${file} must have a text as commit, got none`)
      expect(bench(file, 'blas').stderr).toContain(
        'files must come alone, with --report DIR or with --compare',
      )
      expect(bench(file, '--quick').stderr).toContain(
        'files must come alone, with --report DIR or with --compare',
      )
      writeFileSync(
        file,
        JSON.stringify(recordOf('npm run bench -- blas', measured({ 'blas/ratio_vs_openblas': 1 }))),
      )
      expect(bench(file).status).toBe(0)
      expect(bench(file, file).stderr).toContain('a metric must be in one file only')
      expect(bench('--compare', file, file).stdout).toMatch(
        /`blas\/ratio_vs_openblas` \| 1 +\| 1 +\| 1x +\| same/,
      )
      expect(bench('--compare', file).stderr).toContain('--compare must have two files, before and after')
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('decodes', () => {
    const figures = ['tokens_per_s', 'p50_ms_per_token', 'p95_ms_per_token', 'first_token_ms', 'cache_bytes']
    const metrics = metricsOf('decode', '--filter', 'context_64', '--quick')
    expect(Object.keys(metrics)).toEqual([
      ...figures.map((figure) => `decode/nano-tau/context_64/${figure}`),
      'decode/nano-tau/context_64/ratio_vs_dot',
      ...figures.map((figure) => `decode/nano-dot/context_64/${figure}`),
    ])
  })

  it('decodes one attention from a filled cache, and weighs the caches', () => {
    const metrics = metricsOf('decode', '--filter', 'decode/attention/T1024')
    for (const kind of ['tau', 'tau_f16', 'tau_int8', 'tau_bounded', 'dot'])
      for (const figure of ['p50_ms', 'p95_ms', 'cold_ms', 'cache_bytes'])
        expect(metrics).toHaveProperty([`decode/attention/T1024/${kind}/${figure}`])
    const bytes = (kind: string) => metrics[`decode/attention/T1024/${kind}/cache_bytes`]
    expect(bytes('tau')).toBeLessThan(0.6 * bytes('dot'))
    expect(bytes('tau_f16')).toBeLessThan(0.35 * bytes('dot'))
  })

  it('trains', () => {
    const metrics = metricsOf('train', '--filter', 'nano-dot', '--quick')
    expect(Object.keys(metrics)).toEqual(
      ['ms_per_step', 'tokens_per_s', 'gflops', '2_threads_scaling', 'live_bytes'].map(
        (figure) => `train/nano-dot/${figure}`,
      ),
    )
  }, 180_000) // a dozen steps of a real model
})
