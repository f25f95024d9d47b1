import type { HeadsRecord, MetricsRecord, Quantiles, RunRecord } from '@tau/train'

/** Options of a synthetic run for tests. Its curves are smooth, with seeded noise. */
export interface SyntheticOptions {
  readonly steps: number
  readonly attention?: 'tau' | 'dot'
  readonly nLayer?: number
  readonly nHead?: number
  readonly nKvHead?: number
  readonly preset?: string
  readonly evalEvery?: number
}

function noise(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32 - 0.5
  }
}

export function runRecord(options: SyntheticOptions, step = 0): RunRecord {
  const { attention = 'tau', nLayer = 3, nHead = 4, nKvHead = 2, preset = 'default' } = options
  return {
    kind: 'run',
    time: '2026-03-04T05:06:07.000Z',
    step,
    versions: { node: '24.21.0', '@tau/train': '0.0.0' },
    device: { backend: 'cpu', variant: 'relaxed-simd', threads: 2, fallbacks: [] },
    config: {
      model: { attention, preset, nLayer, nHead, nKvHead, nEmbd: 128, seqLen: 256 },
      train: { steps: options.steps, lr: 0.003, seed: 1 },
      data: { files: ['moby-dick.txt'] },
    },
    parameters: 1_312_768,
    bytesPerToken: 3.1,
    trainTokens: 380_001,
    valTokens: 20_011,
  }
}

export function syntheticRun(options: SyntheticOptions): MetricsRecord[] {
  const { steps, attention = 'tau', evalEvery = Math.max(1, Math.floor(steps / 24)) } = options
  const random = noise(7)
  const records: MetricsRecord[] = [runRecord(options)]
  for (let step = 1; step <= steps; step++) {
    const progress = step / steps
    const loss = 3 + 4.6 * Math.exp(-6 * progress) + 0.25 * random()
    const warm = Math.min(1, step / (0.1 * steps))
    records.push({
      kind: 'step',
      step,
      loss,
      lr: 3e-3 * warm * (0.55 + 0.45 * Math.cos(Math.PI * progress)),
      gradNorm: 0.5 + 2 * Math.exp(-9 * progress) + 0.3 * Math.abs(random()),
      tokens: step * 2048,
      tokensPerSec: 9000 + 900 * random(),
      stepMs: 230,
    })
    if (step % evalEvery !== 0 && step !== steps) continue
    const valLoss = 3.1 + 4.4 * Math.exp(-5.5 * progress)
    records.push({ kind: 'eval', step, valLoss, valBpb: valLoss / Math.LN2 / 3.1, tokens: 20_010 })
    records.push(headsRecord(options, attention, step, progress))
    records.push({
      kind: 'sample',
      step,
      prompt: 'The whale',
      text: ` was at step ${step},\nand the sea rolled on.`,
    })
  }
  records.push({
    kind: 'end',
    time: '2026-03-04T05:08:07.000Z',
    step: steps,
    reason: 'finished',
    seconds: 121.4,
  })
  return records
}

function headsRecord(
  { nLayer = 3, nHead = 4, nKvHead = 2, preset = 'default' }: SyntheticOptions,
  attention: 'tau' | 'dot',
  step: number,
  progress: number,
): HeadsRecord {
  const isLearned = preset === 'default'
  const quantiles = (middle: number): Quantiles => ({
    mean: middle + 0.01,
    q05: middle * 0.55,
    q25: middle * 0.8,
    q50: middle,
    q75: middle + 0.2 * (1 - middle),
    q95: middle + 0.5 * (1 - middle),
  })
  const each = <T>(count: number, value: (head: number) => T) =>
    Array.from({ length: count }, (_, head) => value(head))
  const layers = Array.from({ length: nLayer }, (_, layer) => {
    const lambda = (head: number, fall: number) =>
      quantiles(0.6 * Math.exp(-0.1 * head - (fall + 0.05 * layer) * (1 - Math.exp(-4 * progress))))
    const isTau = attention === 'tau'
    return {
      lambdaQ: isTau ? each(nHead, (head) => lambda(head, 0.6)) : [],
      lambdaK: isTau ? each(nKvHead, (head) => lambda(head, 0.2)) : [],
      temperature: isTau
        ? each(nHead, (head) => (isLearned ? 0.05 * Math.exp((head - 1.5) * progress) : 1))
        : [],
      tau: isTau ? each(nKvHead, (head) => (isLearned ? Math.exp((head - 0.3) * progress) : 1)) : [],
      decayRate: isLearned ? each(nHead, (head) => 0.02 + 0.1 * head * (1 + 0.3 * progress * layer)) : [],
    }
  })
  return { kind: 'heads', step, layers }
}
