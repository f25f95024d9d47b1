import type {
  EndRecord,
  EvalRecord,
  HeadsRecord,
  MetricsRecord,
  RunRecord,
  SampleRecord,
  StepRecord,
} from '@tau/train'

/** The records of one training, in order of steps. Each step occurs once. */
export interface History {
  /** The first start and every resume. */
  readonly runs: readonly RunRecord[]
  readonly steps: readonly StepRecord[]
  readonly evals: readonly EvalRecord[]
  readonly heads: readonly HeadsRecord[]
  readonly samples: readonly SampleRecord[]
  /** The end of the last run. Undefined while it runs, or if it was killed. */
  readonly end: EndRecord | undefined
  /** Wall time in seconds, summed over the runs that ended normally. */
  readonly seconds: number
  /** Steps that resumed runs started from. */
  readonly resumes: readonly number[]
}

/** Sorts records by kind. A resumed run starts at the step of its checkpoint and computes all later steps
 *  again. So the older records of these steps are dropped. */
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
        record satisfies never // a kind from a newer version is ignored
    }
  }
  return { runs, steps, evals, heads, samples, end, seconds, resumes: runs.slice(1).map((run) => run.step) }
}

/** Appends a record. If the last record has the same step, it is replaced. */
function put<R extends { readonly step: number }>(list: R[], record: R): void {
  if (list.at(-1)?.step === record.step) list.pop()
  list.push(record)
}
