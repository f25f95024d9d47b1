import { describe, expect, it } from 'vitest'
import { figuresOf, peerOf } from './figures.ts'
import { type BenchRecord, recordOf } from './record.ts'

const record = recordOf('npm run bench -- blas', { metrics: {}, spread: {}, peers: {}, skipped: {} })

describe('figures of several records', () => {
  const of = (command: string, metrics: BenchRecord['metrics'], adapter?: string): BenchRecord => ({
    ...record,
    ...{ command, metrics, spread: {}, peers: {} },
    ...(adapter !== undefined && { adapter }),
  })

  it('are all of theirs', () => {
    const [one, two] = [of('one', { a: 1 }), { ...of('two', { b: 2 }), spread: { b: 0.1 } }]
    expect(figuresOf([one, two])).toEqual([{ metrics: { a: 1, b: 2 }, spread: { b: 0.1 }, peers: {} }])
  })

  it('may not have a figure in two of them', () => {
    const both = [of('one', { a: 1 }), of('two', { b: 2 }), of('three', { a: 3 }, 'Abacus')]
    expect(() => figuresOf(both)).toThrow(/must be in one file only, got a in two;.*\n {2}one .*\n {2}three /)
  })

  it('of GPUs are kept apart by their adapters', () => {
    const records = [of('one', { a: 1, 'gpu/b': 2 }, 'Abacus'), of('two', { 'gpu/b': 3 }, 'Brunsviga')]
    expect(figuresOf(records)).toEqual([
      { metrics: { a: 1 }, spread: {}, peers: {} },
      { adapter: 'Abacus', metrics: { 'gpu/b': 2 }, spread: {}, peers: {} },
      { adapter: 'Brunsviga', metrics: { 'gpu/b': 3 }, spread: {}, peers: {} },
    ])
    expect(() => figuresOf([...records, of('three', { 'gpu/b': 4 }, 'Abacus')])).toThrow(
      /got gpu\/b in two of Abacus;.*\n {2}one .*\n {2}three [^\n]*$/,
    )
  })
})

describe('peers', () => {
  const peer = (version: string) => ({ version, environment: {} })
  const peers = { torch: peer('PyTorch 1'), openblas: peer('OpenBLAS 2'), tfjs_wasm: peer('tfjs 3') }

  it.each([
    ['train/tau-30m/T1024/ratio_vs_torch', 'PyTorch 1'],
    ['train/tau-30m/T1024/ratio_vs_torch_blas', 'PyTorch 1'],
    ['train/tau-30m/T1024/peak_memory_ratio_vs_torch', 'PyTorch 1'],
    ['decode/torch-30m/ms', 'PyTorch 1'],
    ['matmul/nn/768/openblas_gflops', 'OpenBLAS 2'],
    ['matmul/nn/768/ratio_vs_tfjs_wasm', 'tfjs 3'],
    ['matmul/nn/768/gflops', undefined],
    ['train/torchbearer/ms', undefined],
  ])('are found in the name %s', (metric, version) => {
    expect(peerOf(metric, peers)?.version).toBe(version)
  })

  it('of two versions are told with both', () => {
    const of = (name: string, version: string): BenchRecord => ({
      ...record,
      ...{ metrics: { [name]: 1 }, spread: {}, peers: { torch: peer(version) } },
    })
    expect(figuresOf([of('a', 'PyTorch 1'), of('b', 'PyTorch 1')])[0].peers.torch.version).toBe('PyTorch 1')
    expect(figuresOf([of('a', 'PyTorch 1'), of('b', 'PyTorch 2')])[0].peers.torch.version).toBe(
      'PyTorch 1 or PyTorch 2',
    )
  })
})
