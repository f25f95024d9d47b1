import { loadNext, splat, storeNext } from './simd'

// The last step for a block of a finished product, while it is in the cache.
export const NOTHING: i32 = 0
export const ADD: i32 = 1
export const RELU_SQUARED: i32 = 2

/** C[rows, cols] += residual, or C = max(C, 0)². Rows of both are `rowBytes` apart. */
export function finish(
  epilogue: i32,
  c: usize,
  residual: usize,
  rowBytes: usize,
  rows: i32,
  cols: i32,
): void {
  const bytes = (<usize>cols) << 2
  for (let i = 0; i < rows; i++) {
    if (epilogue == ADD) addRow(c, residual, bytes)
    else reluSquaredRow(c, bytes)
    c += rowBytes
    residual += rowBytes
  }
}

function addRow(c: usize, residual: usize, bytes: usize): void {
  for (let p: usize = 0; p < bytes; p += 16) {
    const left = bytes - p
    storeNext(c + p, f32x4.add(loadNext(c + p, left), loadNext(residual + p, left)), left)
  }
}

function reluSquaredRow(c: usize, bytes: usize): void {
  for (let p: usize = 0; p < bytes; p += 16) {
    const left = bytes - p
    const positive = f32x4.pmax(loadNext(c + p, left), splat(0))
    storeNext(c + p, f32x4.mul(positive, positive), left)
  }
}
