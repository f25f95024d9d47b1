import type { LambdaAlgorithm } from '@tau/attention'
import type { Device } from '@tau/tensor'
import { compare, type Verdict } from './compare.ts'
import type { Group } from './fixture.ts'
import { algorithmsOf, runners } from './groups/index.ts'

export interface GroupReport {
  readonly group: string
  /** The kernel, in groups that run once for each. */
  readonly algorithm: LambdaAlgorithm | undefined
  /** False when the directory lacks the group. */
  readonly present: boolean
  readonly cases: number
  readonly failed: readonly { readonly name: string; readonly message: string }[]
  /** Largest error relative to its tolerance. */
  readonly worst: Verdict & { readonly case: string }
}

/** Runs every case of every group of a fixtures directory through the public packages, on `device`. */
export async function runConformance(
  groups: ReadonlyMap<string, Group>,
  device: Device,
  onGroup: (report: GroupReport) => void = () => {},
): Promise<GroupReport[]> {
  for (const name of groups.keys())
    if (!(name in runners))
      throw new Error(`conformance: groups must be among ${Object.keys(runners).join(', ')}, got ${name}`)
  const reports: GroupReport[] = []
  for (const [group, run] of Object.entries(runners))
    for (const algorithm of algorithmsOf(group, device)) {
      const cases = groups.get(group)?.cases ?? []
      const failed: { name: string; message: string }[] = []
      let worst = { error: 0, at: '', case: '' }
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
      const report = { group, algorithm, present: groups.has(group), cases: cases.length, failed, worst }
      reports.push(report)
      onGroup(report)
    }
  return reports
}

/** True when every group is there, has cases, and none failed. */
export const passed = (reports: readonly GroupReport[]): boolean =>
  reports.every(({ present, cases, failed }) => present && cases > 0 && failed.length === 0)
