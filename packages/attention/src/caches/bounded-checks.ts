import { BackendError, type Device, ShapeError, shapeText, type Tensor } from '@tau/tensor'
import type { CpuEngine } from '@tau/tensor/kernel'

// Checks of the inputs of bounded caches. They check values too, because a sum that has taken in a bad number
// is lost.

export function checkShape(op: string, name: string, { shape }: Tensor, expected: readonly number[]): void {
  if (shape.length !== expected.length || shape.some((n, axis) => n !== expected[axis]))
    throw new ShapeError(`${op}: ${name} must be ${shapeText(expected)}, got ${shapeText(shape)}`)
}

/** The indices of element `index`, as in [b, h, t]. */
function place(index: number, shape: readonly number[]): string {
  const at: number[] = []
  for (const n of shape.toReversed()) {
    at.unshift(index % n)
    index = Math.floor(index / n)
  }
  return shapeText(at)
}

export function checkValues(op: string, v: Tensor, engine: CpuEngine): void {
  const values = engine.view(v.handle, v.size)
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]))
      throw new RangeError(
        `${op}: v must be finite, got ${values[i]} at ${place(i, v.shape)}; check how it is computed`,
      )
}

export function checkLambda(op: string, name: string, lambda: Tensor, engine: CpuEngine): void {
  const values = engine.view(lambda.handle, lambda.size)
  for (let i = 0; i < values.length; i++)
    if (!(values[i] >= 0 && values[i] <= 1))
      throw new RangeError(
        `${op}: ${name} must be between 0 and 1, got ${values[i]} at ${place(i, lambda.shape)}; take it from taumode`,
      )
}

/** Readings must be finite and must not decrease. `newest` holds the last reading of each row. */
export function checkDecay(
  op: string,
  high: Tensor,
  low: Tensor | undefined,
  newest: Float64Array,
  engine: CpuEngine,
): void {
  const readings = engine.view(high.handle, high.size)
  const rest = low && engine.view(low.handle, low.size)
  const length = high.shape[2]
  for (let i = 0; i < readings.length; i++) {
    const reading = readings[i] + (rest ? rest[i] : 0)
    const before =
      i % length === 0 ? newest[Math.floor(i / length)] : readings[i - 1] + (rest ? rest[i - 1] : 0)
    if (!Number.isFinite(reading))
      throw new RangeError(`${op}: logDecay must be finite, got ${reading} at ${place(i, high.shape)}`)
    if (!(reading >= before))
      throw new RangeError(
        `${op}: logDecay must not decrease, got ${reading} after ${before} at ${place(i, high.shape)}; give readings that continue the last ones`,
      )
  }
}

export function checkTemperatures(
  engine: CpuEngine,
  device: Device,
  temperature: Tensor,
  heads: number,
): void {
  if (temperature.device !== device)
    throw new BackendError(
      `BoundedTauCache: temperature must live on the cache's device, got another ${temperature.device.info.backend} device; copy it with device.tensor(await t.data())`,
    )
  checkShape('BoundedTauCache', 'temperature', temperature, [heads])
  const values = engine.view(temperature.handle, heads)
  for (let h = 0; h < heads; h++)
    if (!(values[h] > 0 && values[h] < Number.POSITIVE_INFINITY))
      throw new RangeError(
        `BoundedTauCache: temperature must be above 0 and finite, got ${values[h]} at [${h}]`,
      )
}
