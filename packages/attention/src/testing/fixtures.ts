import { type Device, grad, mul, sum, type Tensor } from '@tau/tensor'
import { expectNear, hasFixtures, readFixture } from '@tau/testing'
import { it } from 'vitest'

export interface ArrayJson {
  readonly shape: readonly number[]
  readonly data: readonly number[]
}

interface Bound {
  readonly f32: number
}

/** A tolerance mirrors the expected tree. */
export type Bounds<Expected> = {
  readonly [K in keyof Expected]: Expected[K] extends ArrayJson ? Bound : Bounds<Expected[K]>
}

export interface FixtureCase<Inputs, Expected> {
  readonly name: string
  readonly inputs: Inputs
  readonly expected: Expected
  readonly tolerance: Bounds<Expected>
}

/** Runs every case of a group whose name passes, or says why it was skipped. */
export function itWithFixtures<Inputs, Expected>(
  group: string,
  run: (fixture: FixtureCase<Inputs, Expected>) => Promise<void>,
  accept: (name: string) => boolean = () => true,
): void {
  const title = `agrees with the oracle's fixtures: ${group}`
  if (!hasFixtures()) {
    it.skip(`${title} (no ../shared/fixtures)`)
    return
  }
  it(title, async () => {
    const { cases } = readFixture(group) as { cases: FixtureCase<Inputs, Expected>[] }
    const chosen = cases.filter(({ name }) => accept(name))
    if (chosen.length === 0) throw new Error(`fixtures: ${group} must have cases, got none`)
    for (const fixture of chosen)
      try {
        await run(fixture)
      } catch (error) {
        throw new Error(`${group} ${fixture.name}: ${error instanceof Error ? error.message : error}`)
      }
  })
}

/** Compares found arrays with the expected ones of the same names. */
export function expectFixture<Names extends string>(
  found: Readonly<Record<Names, ArrayLike<number>>>,
  expected: Readonly<Record<NoInfer<Names>, ArrayJson>>,
  tolerance: Readonly<Record<NoInfer<Names>, Bound>>,
): void {
  for (const name of Object.keys(found) as Names[])
    try {
      expectNear(found[name], expected[name].data, { atol: tolerance[name].f32 })
    } catch (error) {
      throw new Error(`${name}: ${error instanceof Error ? error.message : error}`)
    }
}

/** A tensor with one leading axis of size 1 per `lead`. */
export const tensorOf = (device: Device, { shape, data }: ArrayJson, lead = 0): Tensor =>
  device.tensor(Float32Array.from(data), [...Array<number>(lead).fill(1), ...shape])

/** out = f() and the gradients of Σ weights·out for the named inputs. */
export async function outAndGrads<Names extends string>(
  inputs: Readonly<Record<Names, Tensor>>,
  weights: Tensor,
  f: () => Tensor,
): Promise<{ out: Float32Array; grads: Record<Names, Float32Array> }> {
  const names = Object.keys(inputs) as Names[]
  let out: Tensor | undefined
  const { grads } = grad(
    () => {
      out = f()
      return sum(mul(out, weights))
    },
    names.map((name) => inputs[name]),
  )
  const values = await Promise.all(grads.map((tensor) => tensor.data()))
  if (!out) throw new Error('internal: the function under test must have run')
  return {
    out: await out.data(),
    grads: Object.fromEntries(names.map((name, i) => [name, values[i]])) as Record<Names, Float32Array>,
  }
}
