import type {
  EndRecord,
  EvalRecord,
  HeadsRecord,
  MetricsRecord,
  RunRecord,
  SampleRecord,
  StepRecord,
} from '@tau/train'

/** The records of one training, in order of steps, each step once. */
export interface History {
  /** The first start and every resume. */
  readonly runs: readonly RunRecord[]
  readonly steps: readonly StepRecord[]
  readonly evals: readonly EvalRecord[]
  readonly heads: readonly HeadsRecord[]
  readonly samples: readonly SampleRecord[]
  /** How the last run ended; undefined while it runs, or when it was killed. */
  readonly end: EndRecord | undefined
  /** Wall time of the runs that ended in order. */
  readonly seconds: number
  /** Steps that resumed runs started from. */
  readonly resumes: readonly number[]
}

/** Sorts records by kind. A resumed run starts at its checkpoint's step: what the killed run wrote after that step was
 *  computed again, so the older lines are dropped. */
export function historyOf(records: readonly MetricsRecord[]): History {
  const runs: RunRecord[] = []
  let steps: StepRecord[] = []
  let evals: EvalRecord[] = []
  let heads: HeadsRecord[] = []
  let samples: SampleRecord[] = []
  let end: EndRecord | undefined
  let seconds = 0
  for (const record of records) {
    switch (record.kind) {
      case 'run': {
        const isKept = (old: { readonly step: number }) => old.step <= record.step
        steps = steps.filter(isKept)
        evals = evals.filter(isKept)
        heads = heads.filter(isKept)
        samples = samples.filter(isKept)
        end = undefined
        runs.push(record)
        break
      }
      case 'step':
        put(steps, record)
        break
      case 'eval':
        put(evals, record)
        break
      case 'heads':
        put(heads, record)
        break
      case 'sample':
        samples.push(record)
        break
      case 'end':
        end = record
        seconds += record.seconds
        break
      default:
        record satisfies never // a newer version's kind: not ours to draw
    }
  }
  return { runs, steps, evals, heads, samples, end, seconds, resumes: runs.slice(1).map((run) => run.step) }
}

/** Appends, or replaces the last record of the same step. */
function put<R extends { readonly step: number }>(list: R[], record: R): void {
  if (list.at(-1)?.step === record.step) list.pop()
  list.push(record)
}
