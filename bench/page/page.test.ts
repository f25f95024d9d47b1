import { describe, expect, it } from 'vitest'
import { claims } from '../records/claims.ts'
import type { BenchRecord } from '../records/record.ts'
import { resultsPage } from './page.ts'
import { trainPlots } from './plots.ts'

// Round figures, invented so they can be told apart. Nothing here was measured.

function record(group: string, metrics: BenchRecord['metrics'], skipped: BenchRecord['skipped'] = {}) {
  return {
    ...{
      commit: `commit-of-${group}`,
      command: `npm run bench -- ${group}`,
      date: '2026-01-02T03:04:05.000Z',
    },
    ...{ cpu: 'Abacus, 2 cores', memoryBytes: 8 * 2 ** 30, os: 'Linux 1.2.3 x86_64', runtime: 'node 1.2.3' },
    ...{ threads: 2, metrics, spread: {}, peers: {}, skipped },
  }
}

const model = (name: string, length: number, tokensPerSec: number, peakBytes: number) => ({
  [`train/${name}/T${length}/ms`]: (1000 * length) / tokensPerSec,
  [`train/${name}/T${length}/tokens_per_s`]: tokensPerSec,
  [`train/${name}/T${length}/peak_bytes`]: peakBytes,
})

const train = record(
  'train',
  {
    ...model('tau-30m', 1024, 1200, 1.1e9),
    ...model('tau-30m-blas', 1024, 1500, 1.2e9),
    ...model('gpt-30m', 1024, 1100, 1.3e9),
    ...model('torch-30m', 1024, 1000, 2e9),
    ...{ 'train/tau-30m/T1024/ratio_vs_torch': 1.25, 'train/tau-30m/T1024/ratio_vs_torch_blas': 1.2 },
    'train/tau-30m/T1024/peak_memory_ratio_vs_torch': 0.55,
    ...model('tau-30m', 32_768, 900, 5e9),
  },
  { 'train/torch-30m/T8192': 'MemoryError: <none>\nof a | b' },
)
const kernels = record('kernels', {
  ...{ 'matmul/nn/768/gflops': 60, 'matmul/nn/768/ratio_of_fma_ceiling': 0.8 },
  ...{ 'matmul/nn/768/2_threads_scaling': 1.9, 'matmul/nn/768/ratio_vs_tfjs_wasm': 2 },
  ...{ 'matmul/2_threads_scaling': 1.9, 'matmul/ratio_of_fma_ceiling': 0.8 },
  ...{ 'matmul/nn/768/tfjs_wasm_gflops': 30, 'matmul/nn/768/openblas_gflops': 75 },
  'matmul/nn/768/ratio_vs_openblas': 0.8,
  ...{ 'matmul/nt/mlp_up_T1024/gflops': 45, 'matmul/nt/mlp_up_T1024/2_threads_scaling': 1.8 },
  'matmul/nt/mlp_up_T1024/ratio_of_fma_ceiling': 0.6,
  ...{ 'softmax/attn_T512/gb_per_s': 10, 'softmax/attn_T512/2_threads_scaling': 1.7 },
  ...{ 'softmax/attn_T512/ratio_vs_memory_copy': 0.4, 'softmax/attn_T512/ratio_vs_composed': 3 },
})

/** The cells of the rows that begin with a text, without padding. */
const cells = (page: string, first: string): string[][] =>
  page
    .split('\n')
    .filter((line) => line.startsWith(`| ${first} `))
    .map((line) =>
      line
        .slice(2, -2)
        .split(' | ')
        .map((cell) => cell.trim()),
    )

/** The text below a heading, up to the next heading. */
const section = (page: string, title: string): string =>
  page.split('\n## ').find((part) => part.startsWith(title))!

describe('RESULTS.md', () => {
  const page = resultsPage([train, kernels])

  it('says of every group which commit and command made it, and on what', () => {
    for (const [title, group] of [
      ['Training', 'train'],
      ['Kernels', 'kernels'],
    ]) {
      const text = section(page, title)
      expect(text).toContain(`- commit \`commit-of-${group}\`, 2026-01-02T03:04:05.000Z\n`)
      expect(text).toContain(`- command \`npm run bench -- ${group}\`\n`)
      expect(text).toContain('- machine `Abacus, 2 cores, 8.0 GiB; Linux 1.2.3 x86_64; node 1.2.3`\n')
      expect(text.match(/- commit/g)).toHaveLength(1)
    }
    expect(page).not.toContain('## Decoding')
  })

  it('has a verdict for every claim of a group, and says which were missed or not measured', () => {
    for (const { group, metric } of claims)
      expect(cells(page, `\`${metric}\``)).toHaveLength(['train', 'kernels'].includes(group) ? 1 : 0)
    expect(cells(page, '`train/tau-30m/T1024/ratio_vs_torch`')).toEqual([
      [
        '`train/tau-30m/T1024/ratio_vs_torch`',
        '1.25x',
        '≥ 1x as fast as PyTorch, by WebAssembly alone',
        'kept',
      ],
    ])
    expect(cells(page, '`train/tau-30m/T1024/ratio_vs_torch_blas`')[0].at(-1)).toBe('**missed**')
    expect(cells(page, '`train/tau-30m/T4096/ratio_vs_torch`')[0].slice(1)).toEqual([
      ...['–', '≥ 2x as fast as PyTorch', '**not measured**'],
    ])
    expect(page).toContain(`Claims: 6 kept, 1 missed, ${claims.length - 7} not measured.\n`)
    expect(page).toContain('- missed: `train/tau-30m/T1024/ratio_vs_torch_blas`\n')
    expect(page).toMatch(
      /^- not measured: `train\/tau-30m\/T4096\/ratio_vs_torch`, .*`graph\/manifold\/streamed\/peak_memory_ratio`$/m,
    )
  })

  it('has a row for each length, with a dash for what was not measured', () => {
    expect(cells(page, '1024')).toEqual([
      ['1024', '1200', '1500', '1100', '1000', '1.25x'],
      ['1024', '1100 MB', '1200 MB', '1300 MB', '2000 MB', '0.55x'],
    ])
    expect(cells(page, '32768')[0]).toEqual(['32768', '900', '–', '–', '–', '–'])
  })

  it('holds products against other libraries, and kernels against what limits them', () => {
    expect(cells(page, 'ours')).toEqual([['ours', '60', '80 %', '–']])
    expect(cells(page, 'tfjs, WebAssembly')).toEqual([['tfjs, WebAssembly', '30', '40 %', '2x']])
    expect(cells(page, 'OpenBLAS')).toEqual([['OpenBLAS', '75', '100 %', '0.8x']])
    expect(cells(page, 'jax-js, WebAssembly')).toEqual([])
    expect(cells(page, 'matmul/nn/768')).toEqual([['matmul/nn/768', '60', '80 %', '1.9x', '–']])
    expect(cells(page, 'matmul/nt/mlp_up_T1024')[0]).toEqual([
      ...['matmul/nt/mlp_up_T1024', '45', '60 %', '1.8x', '–'],
    ])
    expect(cells(page, 'softmax/attn_T512')[0]).toEqual([
      ...['softmax/attn_T512', '10', '40 %', '1.7x', '3x composed'],
    ])
  })

  it('tells graphs on plain arrays from those on a device, and has their peers', () => {
    const text = resultsPage([
      record('graph', {
        ...{ 'graph/spmv/items_20000/ms': 0.5, 'graph/spmv/items_20000/rows_per_s': 4e7 },
        ...{ 'graph/eigs/50000/ms': 1200, 'graph/eigs/50000/ratio_vs_scipy': 2.5 },
        ...{ 'graph/knn_hnsw/words100k/exact_ms': 9000, 'graph/knn_hnsw/words100k/ms': 30_000 },
        'graph/knn_hnsw/words100k/recall_at_15': 0.98,
        ...{ 'graph/manifold/9x4/seconds': 0.5, 'graph/manifold/9x4/blas_seconds': 0.45 },
        ...{ 'graph/manifold/9x4/numpy_seconds': 0.4, 'graph/manifold/9x4/ratio_vs_numpy': 0.8 },
        'graph/manifold/9x4/ratio_vs_numpy_blas': 0.89,
        ...{ 'graph/manifold/streamed/seconds': 1, 'graph/manifold/streamed/peak_memory_ratio': 0.51 },
      }),
    ])
    expect(cells(text, 'graph/spmv/items_20000')).toEqual([
      ['graph/spmv/items_20000', '0.5 ms', '40000000 rows'],
    ])
    expect(cells(text, 'graph/eigs/50000')).toEqual([['graph/eigs/50000', '1200 ms', '–', '2.5x scipy', '–']])
    expect(cells(text, 'graph/knn_hnsw/words100k')).toEqual([
      ['graph/knn_hnsw/words100k', '30000 ms', 'exact 9000 ms', '–', '98 %'],
    ])
    expect(cells(text, 'graph/manifold/9x4')).toEqual([
      ['graph/manifold/9x4', '500 ms', '450 ms', '400 ms', '0.8x', '0.89x', '–'],
    ])
    expect(cells(text, 'graph/manifold/streamed')[0].at(-1)).toBe('51 % of the memory given')
    expect(cells(text, '`graph/knn_hnsw/words100k/recall_at_15`')).toEqual([
      [
        '`graph/knn_hnsw/words100k/recall_at_15`',
        ...['0.98x', '≥ 0.95x the neighbours that exact search finds', 'kept'],
      ],
    ])
  })

  it('has a heading, a machine and tables for each adapter, and judges a claim by those that it is of', () => {
    const name = 'gpu/matmul/512/tuned_over_portable'
    const on = (adapter: string, value: number) => ({
      ...record('gpu', { [name]: value, 'gpu/matmul/512/tuned_ms': value }),
      ...{ commit: `commit-on-${adapter}`, adapter },
    })
    const [software, hardware] = [on('SwiftShader', 6), on('Abacus', 0.8)]
    const text = section(resultsPage([hardware, train, software]), 'WebGPU')
    const parts = text.split('\n### ')
    expect(parts.map((part) => part.split('\n')[0])).toEqual(['WebGPU', 'Abacus', 'SwiftShader'])
    expect(cells(parts[0], `\`${name}\``)[0].slice(1)).toEqual([
      ...['6x', '≥ 1.5x as fast as the kernel of gpu.js, on an adapter in software', 'kept'],
    ])
    expect(parts[0]).not.toContain('- commit')
    expect(cells(parts[1], 'matmul/512')).toEqual([['matmul/512', '–', '0.8 ms', '–', '0.8x']])
    expect(cells(parts[2], 'matmul/512')).toEqual([['matmul/512', '–', '6 ms', '–', '6x']])
    for (const [part, adapter] of [
      [parts[1], 'Abacus'],
      [parts[2], 'SwiftShader'],
    ]) {
      expect(part).toContain(`- commit \`commit-on-${adapter}\``)
      expect(part.match(/- commit/g)).toHaveLength(1)
    }
    const alone = section(resultsPage([hardware]), 'WebGPU')
    expect(alone).not.toContain('###')
    expect(alone).toContain('; Abacus`')
  })

  it('says which peer every figure of a peer is of', () => {
    const torch = { version: 'PyTorch 1.2.3, attention not fused', environment: { MALLOC_TOP_PAD_: '9' } }
    const named = resultsPage([
      {
        ...train,
        peers: { torch },
        spread: { 'train/tau-30m/T1024/ratio_vs_torch': 0.02 },
      },
    ])
    expect(named).toContain('- peer `PyTorch 1.2.3, attention not fused with MALLOC_TOP_PAD_=9`\n')
    expect(cells(named, '`train/tau-30m/T1024/ratio_vs_torch`')[0][1]).toBe(
      '1.25x ±2% against PyTorch 1.2.3, attention not fused',
    )
    const [head] = cells(named, 'T')
    expect(head).toEqual(['T', 'tau', 'tau, BLAS', 'our GPT', torch.version, 'tau / PyTorch'])
    const [plot] = trainPlots({ ...train.metrics, ...model('torch-30m', 2048, 800, 3e9) }, { torch })
    expect(plot.curves[0].label).toBe('PyTorch 1.2.3')
  })

  it('has the columns of ONNX Runtime where it took part', () => {
    const name = 'attention/forward/T1024'
    const figures = { [`${name}/fast_ms`]: 1, [`${name}/dot_ms`]: 9, [`${name}/speedup_vs_dot`]: 9 }
    const without = resultsPage([record('attention', figures)])
    expect(cells(without, 'forward/T1024')[0]).toEqual(['forward/T1024', '1 ms', '–', '9 ms', '–', '9x'])
    const onnx = { [`${name}/onnxruntime_ms`]: 4, [`${name}/ratio_vs_onnxruntime`]: 4 }
    const peers = { onnxruntime: { version: 'onnxruntime 1.2.3', environment: {} } }
    const page = resultsPage([{ ...record('attention', { ...figures, ...onnx }), peers }])
    expect(cells(page, 'pass')[0]).toEqual([
      ...['pass', 'O(T log T)', 'pair by pair', 'dot product', 'dot product, onnxruntime 1.2.3'],
      ...['speed / pair by pair', 'speed / dot product', 'speed / onnxruntime 1.2.3'],
    ])
    expect(cells(page, 'forward/T1024')[0]).toEqual([
      ...['forward/T1024', '1 ms', '–', '9 ms', '4 ms', '–', '9x', '4x'],
    ])
  })

  it('lists what was skipped, and why, on one line', () => {
    expect(page).toContain('| `train/torch-30m/T8192` | MemoryError: &lt;none> of a \\| b |')
  })

  it('is the same in whatever order the records come', () => {
    expect(resultsPage([kernels, train])).toBe(page)
  })

  it('shows the plots of what can be drawn', () => {
    expect(page).toContain('](results/train-tokens-per-s.svg)')
    expect(page).toContain('](results/train-peak-memory.svg)')
    expect(page.match(/\.svg/g)).toHaveLength(2)
  })
})

describe('plots of training', () => {
  it('have a curve for each model of which two lengths were measured', () => {
    const [speed, memory] = trainPlots(train.metrics, {})
    expect(speed.curves.map(({ label, points }) => [label, points])).toEqual([
      [
        'ours, tau',
        [
          { x: 1024, y: 1200 },
          { x: 32_768, y: 900 },
        ],
      ],
    ])
    expect(memory.curves[0].points.map(({ y }) => y)).toEqual([1.1e9, 5e9])
    const more = trainPlots({ ...train.metrics, ...model('torch-30m', 2048, 800, 3e9) }, {})
    expect(more[0].curves.map(({ label }) => label)).toEqual(['PyTorch', 'ours, tau'])
    expect(trainPlots({ ...model('tau-30m', 1024, 1200, 1e9) }, {})).toEqual([])
  })
})
