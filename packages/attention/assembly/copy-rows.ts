/** target[row, c] = source[row, c] for rows begin … end−1; 0 for c ≥ sourceDim. */
export function copyRows(source: usize, target: usize, sourceDim: i32, targetDim: i32, begin: i32, end: i32): void {
  const from = (<usize>sourceDim) << 2
  const to = (<usize>targetDim) << 2
  const both = min(from, to)
  for (let row = <usize>begin; row < <usize>end; row++) {
    memory.copy(target + row * to, source + row * from, both)
    memory.fill(target + row * to + both, 0, to - both)
  }
}
