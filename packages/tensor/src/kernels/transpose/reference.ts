/** out[index] = x[index moved back]: axis i of the result is axis `order[i]` of x. */
export function permuteReference(
  x: Float64Array,
  shape: readonly number[],
  order: readonly number[],
): Float64Array {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1))
  let offsets = [0]
  for (const axis of order)
    offsets = offsets.flatMap((offset) =>
      Array.from({ length: shape[axis] }, (_, i) => offset + i * strides[axis]),
    )
  return Float64Array.from(offsets, (offset) => x[offset])
}
