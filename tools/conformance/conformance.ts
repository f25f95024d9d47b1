import type { LambdaAlgorithm } from '@tau/attention'
import type { Device } from '@tau/tensor'
import type { OracleGroup } from '@tau/testing/oracle'
import { compare, type Verdict } from './compare.ts'
import { algorithmsOf, runners } from './groups/index.ts'

export interface GroupReport {
  readonly group: string
  /** The algorithm of the run, in groups that run once for each algorithm. */
  readonly algorithm: LambdaAlgorithm | undefined
  /** False when the folder lacks the group. */
  readonly present: boolean
  /** False when tools/conformance/groups has no runner for the group. Its cases are counted but not run. */
  readonly hasRunner: boolean
  readonly cases: number
  readonly failed: readonly { readonly name: string; readonly message: string }[]
  /** Largest error relative to its tolerance. */
  readonly worst: Verdict & { readonly case: string }
}

const NOTHING = { error: 0, at: '', case: '' }

/** Runs the cases of a fixtures folder through the public packages on `device`. The folder must have every
 *  group that has a runner. A group without a runner is reported as not run. */
export async function runConformance(
  groups: ReadonlyMap<string, OracleGroup>,
  device: Device,
  onGroup: (report: GroupReport) => void = () => {},
): Promise<GroupReport[]> {
  const reports: GroupReport[] = []
  const add = (report: GroupReport) => {
    reports.push(report)
    onGroup(report)
  }
  for (const [group, run] of Object.entries(runners))
    for (const algorithm of algorithmsOf(group, device)) {
      const cases = groups.get(group)?.cases ?? []
      const failed: { name: string; message: string }[] = []
      let worst = NOTHING
      for (const fixture of cases) {
        let verdict: Verdict
        try {
          using _scope = device.scope()
          verdict = compare(
            await run(fixture, { device, groups, algorithm }),
            fixture.expected,
            fixture.tolerance,
          )
        } catch (error) {
          verdict = {
            error: Number.POSITIVE_INFINITY,
            at: error instanceof Error ? error.message : String(error),
          }
        }
        if (!(verdict.error <= 1))
          failed.push({
            name: fixture.name,
            message: `${verdict.error.toPrecision(3)}× tolerance at ${verdict.at}`,
          })
        if (verdict.error > worst.error) worst = { ...verdict, case: fixture.name }
      }
      const present = groups.has(group)
      add({ group, algorithm, present, hasRunner: true, cases: cases.length, failed, worst })
    }
  for (const { group, cases } of groups.values())
    if (!Object.hasOwn(runners, group))
      add({
        ...{ group, algorithm: undefined, present: true, hasRunner: false },
        ...{ cases: cases.length, failed: [], worst: NOTHING },
      })
  return reports
}

/** True if every group that has a runner is there with cases and no case failed. */
export const passed = (reports: readonly GroupReport[]): boolean =>
  reports.every(
    ({ hasRunner, present, cases, failed }) => !hasRunner || (present && cases > 0 && failed.length === 0),
  )
