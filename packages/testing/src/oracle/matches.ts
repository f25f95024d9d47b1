import { it } from 'vitest'
import { expectNear } from '../near.ts'
import type { OracleArray } from './fields.ts'
import { readFixtures } from './files.ts'
import type { Bound, OracleCase } from './group.ts'

/** A test that gives every case of a group of seed 1 to `run`, or only the cases whose names `accept` takes.
 *  Inputs and Expected are the types of the group's trees, which tools/oracle/README.md describes. */
export function itMatchesOracle<Inputs, Expected>(
  group: string,
  run: (fixture: OracleCase<Inputs, Expected>) => void | Promise<void>,
  accept: (name: string) => boolean = () => true,
): void {
  it(`agrees with the oracle: ${group}`, async () => {
    const chosen = readFixtures(group).cases.filter(({ name }) => accept(name))
    if (chosen.length === 0) throw new Error(`oracle: ${group} must have cases, got none`)
    for (const { inputs, ...fixture } of chosen) {
      const typed: unknown = { ...fixture, inputs: inputs.value }
      try {
        await run(typed as OracleCase<Inputs, Expected>)
      } catch (error) {
        throw new Error(`${group} ${fixture.name}: ${error instanceof Error ? error.message : error}`)
      }
    }
  })
}

/** Throws unless every found array is as near to the expected one of its name as the oracle asks for. An
 *  array without a bound must be equal. */
export function expectOracle<Names extends string>(
  found: Readonly<Record<Names, ArrayLike<number>>>,
  expected: Readonly<Record<NoInfer<Names>, OracleArray>>,
  tolerance: Readonly<Partial<Record<NoInfer<Names>, Bound>>>,
  arithmetic: keyof Bound = 'f32',
): void {
  for (const name of Object.keys(found) as Names[])
    try {
      expectNear(found[name], expected[name].data, { atol: tolerance[name]?.[arithmetic] })
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : error}`)
    }
}
