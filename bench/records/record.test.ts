import { describe, expect, it } from 'vitest'
import { type BenchRecord, figuresOf, parseRecord, peerOf, peerText, recordOf } from './record.ts'

const record = recordOf('npm run bench -- blas', {
  metrics: { 'blas/ratio_vs_openblas': 0.95 },
  spread: { 'blas/ratio_vs_openblas': 0.02 },
  peers: { openblas: { version: 'OpenBLAS 1.2.3', environment: { A: '1', B: '2' } } },
  skipped: { peer: 'absent' },
})
const parse = (json: unknown) => parseRecord(JSON.stringify(json), 'file.json')

describe('a record', () => {
  it('says what was measured, when and on what, and survives its file', () => {
    expect(record.commit).toMatch(/^([0-9a-f]{40}(-dirty)?|unknown)$/)
    expect(new Date(record.date).toISOString()).toBe(record.date)
    expect(record.memoryBytes).toBeGreaterThan(2 ** 20)
    expect(parse(record)).toEqual(record)
  })

  it('of before spread and peers were recorded has none', () => {
    const { spread: _spread, peers: _peers, ...old } = record
    expect(parse(old)).toEqual({ ...record, spread: {}, peers: {} })
  })

  it('is refused with its file, the rule and what was got', () => {
    const wrong: readonly (readonly [change: object, message: string])[] = [
      [
        { commit: undefined },
        'bench: file.json must have a text as commit, got none; write it again with --json',
      ],
      [{ command: '' }, 'file.json must have a text as command, got ""'],
      [{ memoryBytes: '8 GB' }, 'file.json must have a number above 0 as memoryBytes, got "8 GB"'],
      [{ metrics: [1] }, 'file.json must have an object as metrics, got [1]'],
      [{ metrics: { a: null } }, 'file.json must have a number as a of metrics, got null'],
      [{ spread: { a: '2 %' } }, 'file.json must have a number as a of spread, got "2 %"'],
      [
        { peers: { a: { version: 1, environment: {} } } },
        'file.json must have a version and an environment as a of peers, got {"version":1,"environment":{}}',
      ],
      [
        { peers: { a: { version: 'x', environment: { y: 1 } } } },
        'must have a version and an environment as a of peers',
      ],
      [{ skipped: { a: 1 } }, 'file.json must have a text as a of skipped, got 1'],
    ]
    for (const [change, message] of wrong) expect(() => parse({ ...record, ...change })).toThrow(message)
    expect(() => parse([])).toThrow('file.json must be an object, got []')
    expect(() => parseRecord('{"commit": ', 'file.json')).toThrow(
      'bench: file.json must be JSON, got SyntaxError',
    )
  })
})

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

  it('are told with their environment', () => {
    expect(peerText(record.peers.openblas)).toBe('OpenBLAS 1.2.3 with A=1 B=2')
    expect(peerText(peer('numpy 4'))).toBe('numpy 4')
  })
})
