import { copyRun } from './copy-run'

/** target(r, c) = source(r, c) for rows begin … end−1 of `cols` elements; strides in elements. */
export function copyRows(
  source: usize,
  target: usize,
  sourceStride: i32,
  targetStride: i32,
  cols: i32,
  begin: i32,
  end: i32,
): void {
  const bytes = (<usize>cols) << 2
  for (let row = <usize>begin; row < <usize>end; row++)
    copyRun(source + ((row * <usize>sourceStride) << 2), target + ((row * <usize>targetStride) << 2), bytes)
}

/** Elements begin … end−1 of one contiguous run. */
export function copyElements(source: usize, target: usize, begin: i32, end: i32): void {
  const offset = (<usize>begin) << 2
  copyRun(source + offset, target + offset, ((<usize>end) << 2) - offset)
}
