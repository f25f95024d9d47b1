import { expectNear, type Tolerance } from './near.ts'
import { randomArray } from './random.ts'

/** Central differences of a scalar function in f64 with h = 6e-6·max(1, |x|). The relative error is about
 *  1e-10. */
export function numericGradient(f: (x: Float64Array) => number, x: Float64Array): Float64Array {
  const point = x.slice()
  return x.map((value, i) => {
    const h = 6e-6 * Math.max(1, Math.abs(value))
    point[i] = value + h
    const above = f(point)
    point[i] = value - h
    const below = f(point)
    point[i] = value
    return (above - below) / (2 * h)
  })
}

export interface GradientCase {
  readonly inputs: readonly Float64Array[]
  /** The operation in plain f64 loops. */
  readonly reference: (...inputs: Float64Array[]) => Float64Array
  /** Gradients of Σ weights·out for every input, from the backend under test. */
  readonly gradients: (inputs: Float32Array[], weights: Float32Array) => Promise<readonly ArrayLike<number>[]>
  readonly tolerance: Tolerance
}

/** Compares a backend's gradients with central differences of the f64 reference. Inputs are rounded to f32
 *  first, so both use the same numbers. */
export async function checkGradients({
  inputs,
  reference,
  gradients,
  tolerance,
}: GradientCase): Promise<void> {
  const rounded = inputs.map((input) => Float32Array.from(input))
  const exact = rounded.map((input) => Float64Array.from(input))
  const weights = Float32Array.from(randomArray(reference(...exact).length, 97))
  const found = await gradients(rounded, weights)
  if (found.length !== inputs.length)
    throw new Error(
      `checkGradients: there must be one gradient per input, got ${found.length} for ${inputs.length}`,
    )
  exact.forEach((input, which) => {
    const expected = numericGradient((x) => {
      const out = reference(...exact.map((other, i) => (i === which ? x : other)))
      return out.reduce((sum, value, i) => sum + value * weights[i], 0)
    }, input)
    try {
      expectNear(found[which], expected, tolerance)
    } catch (error) {
      throw new Error(`gradient of input ${which}: ${error instanceof Error ? error.message : error}`)
    }
  })
}
