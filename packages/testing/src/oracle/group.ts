import { Fields, type OracleArray } from './fields.ts'

/** Absolute bounds of |found − expected|, by the arithmetic of what was found. */
export interface Bound {
  readonly f64: number
  readonly f32: number
}

/** A tolerance is a tree like the expected values. Arrays of integers have no bound in it: they must be
 *  equal. */
export type Bounds<Expected> = {
  readonly [K in keyof Expected]: Expected[K] extends OracleArray ? Bound : Bounds<Expected[K]>
}

export interface OracleCase<Inputs = Fields, Expected = unknown> {
  readonly name: string
  readonly inputs: Inputs
  readonly expected: Expected
  readonly tolerance: Bounds<Expected>
}

/** A file of the oracle: the cases of one quantity. tools/oracle/README.md describes each group. */
export interface OracleGroup {
  readonly group: string
  readonly seed: number
  readonly cases: readonly OracleCase[]
}

/** A group from the text of its file. */
export function parseGroup(file: string, text: string): OracleGroup {
  const fields = new Fields(parseJson(file, text), file)
  const cases = fields.list('cases').map((item) => ({
    name: item.text('name'),
    inputs: item.fields('inputs'),
    expected: item.fields('expected').value,
    tolerance: item.fields('tolerance').value,
  }))
  return { group: fields.text('group'), seed: fields.number('seed'), cases }
}

function parseJson(file: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`oracle: ${file} must be JSON, got ${error instanceof Error ? error.message : error}`)
  }
}
