/** Chooses the indices of a long series to draw: at most `most` (at least 4), rising, with the first and the
 *  last. Each section of the series keeps its smallest and its largest value, so spikes stay visible. Values
 *  that are not finite count as gaps. */
export function thin(values: readonly number[], most: number): number[] {
  if (values.length <= most) return Array.from(values.keys())
  const stretches = Math.floor((most - 2) / 2)
  const kept = new Set([0])
  for (let s = 0; s < stretches; s++) {
    const from = Math.floor((s * values.length) / stretches)
    const to = Math.floor(((s + 1) * values.length) / stretches)
    let low = from
    let high = from
    for (let i = from; i < to; i++) {
      if (!(values[i] >= values[low])) low = Number.isFinite(values[i]) ? i : low
      if (!(values[i] <= values[high])) high = Number.isFinite(values[i]) ? i : high
    }
    kept.add(Math.min(low, high)).add(Math.max(low, high))
  }
  kept.add(values.length - 1)
  return Array.from(kept)
}

/** At most `most` (at least 2) indices below `length`, evenly spread, with the first and the last. */
export function spread(length: number, most: number): number[] {
  if (length <= most) return Array.from({ length }, (_, i) => i)
  return Array.from({ length: most }, (_, i) => Math.round((i * (length - 1)) / (most - 1)))
}

/** Smooths a series by a weighted mean with weights d^|i−j|. This symmetric exponential window causes no
 *  delay; at the ends it is one-sided. The window grows with the series: d = 1 − 1/max(5, n/50). Values that
 *  are not finite have weight 0. */
export function smooth(values: readonly number[]): number[] {
  const decay = 1 - 1 / Math.max(5, values.length / 50)
  const forward = decayedSums(values, decay)
  const backward = decayedSums(values.toReversed(), decay).reverse()
  return values.map((value, i) => {
    const [own, weight] = Number.isFinite(value) ? [value, 1] : [0, 0]
    return (forward[i].sum + backward[i].sum - own) / (forward[i].weight + backward[i].weight - weight)
  })
}

function decayedSums(values: readonly number[], decay: number): { sum: number; weight: number }[] {
  let sum = 0
  let weight = 0
  return values.map((value) => {
    const own = Number.isFinite(value)
    sum = decay * sum + (own ? value : 0)
    weight = decay * weight + (own ? 1 : 0)
    return { sum, weight }
  })
}

/** A number in the form that the page stores: 5 significant digits, or null if it is not finite. */
export const compact = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(5)) : null
