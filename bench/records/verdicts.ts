import { isSoftwareAdapter } from '@tau/tensor'
import { spreadText } from '../harness/lines.ts'
import { type Claim, claims } from './claims.ts'
import { type Figures, peerOf } from './figures.ts'

/** The worst of the `count` metrics of a claim. */
interface Got {
  readonly metric: string
  readonly value: number
  readonly spread: number | undefined
  /** Name and version of the peer. */
  readonly peer: string | undefined
  readonly count: number
}

export interface Verdict {
  readonly claim: Claim
  /** Undefined if none was measured. */
  readonly got: Got | undefined
  readonly verdict: 'kept' | 'missed' | 'not measured'
}

/** The only special character in names of metrics is *. */
const patternOf = (metric: string): RegExp => new RegExp(`^${metric.replaceAll('*', '[^/]*')}$`)

const isOf = ({ software }: Claim, { adapter }: Figures): boolean =>
  !software || (adapter !== undefined && isSoftwareAdapter(adapter))

function verdictOf(claim: Claim, figures: readonly Figures[]): Verdict {
  const { metric: name, relation, bound } = claim
  const pattern = patternOf(name)
  const found = figures
    .filter((set) => isOf(claim, set))
    .flatMap((set) => Object.entries(set.metrics).map(([metric, value]) => ({ metric, value, set })))
    .filter(({ metric }) => pattern.test(metric))
  if (found.length === 0) return { claim, got: undefined, verdict: 'not measured' }
  const { metric, value, set } = found.reduce((worst, next) =>
    (relation === '≥' ? next.value < worst.value : next.value > worst.value) ? next : worst,
  )
  const kept = relation === '≥' ? value >= bound : value <= bound
  return {
    claim,
    got: {
      ...{ metric, value, count: found.length },
      ...{ spread: set.spread[metric], peer: peerOf(metric, set.peers)?.version },
    },
    verdict: kept ? 'kept' : 'missed',
  }
}

/** Every claim, compared with what was measured. */
export const judge = (figures: readonly Figures[]): Verdict[] =>
  claims.map((claim) => verdictOf(claim, figures))

/** One digit more than elsewhere. A value just beyond its bound must not look equal to it. */
const valueText = (value: number, { unit }: Claim): string =>
  `${Number(value.toPrecision(4))}${unit === 'x' ? 'x' : ` ${unit}`}`

/** `≥ 1.7x as fast as tfjs in WebAssembly` */
export const askedText = (claim: Claim): string =>
  `${claim.relation} ${valueText(claim.bound, claim)} ${claim.meaning}`

/** `1.972x ±2% against PyTorch 1.13.1`. A claim about several metrics says which is the worst, and of how
 *  many, because a filter may have left some out. `–` if nothing was measured. */
export const gotText = ({ claim, got }: Verdict): string => {
  if (!got) return '–'
  const { metric, value, spread, peer, count } = got
  const where = metric === claim.metric ? '' : ` at ${metric}, worst of ${count}`
  const against = peer === undefined ? '' : ` against ${peer}`
  return valueText(value, claim) + spreadText(spread) + against + where
}

/** `claim blas/ratio_vs_openblas | asked ≥ 0.9x as fast as … | got 0.97x | kept`, a line for each, and how
 *  many were kept. */
export function claimLines(verdicts: readonly Verdict[]): string[] {
  if (verdicts.length === 0) return []
  const lines = verdicts.map((entry) => {
    const { claim, verdict } = entry
    const words = verdict === 'missed' ? 'MISSED' : verdict
    return `claim ${claim.metric} | asked ${askedText(claim)} | got ${gotText(entry)} | ${words}`
  })
  return [...lines, `claims: ${countsText(verdicts)}`]
}

/** `24 kept, 1 missed, 2 not measured` */
export const countsText = (verdicts: readonly Verdict[]): string =>
  (['kept', 'missed', 'not measured'] as const)
    .map((word) => `${verdicts.filter(({ verdict }) => verdict === word).length} ${word}`)
    .join(', ')
