import { rowPeak } from './row-peak'
import { exp1, exp4, splat, sumLanes } from './simd'

/** y = softmax(x) for rows begin … end−1 of `cols` elements. Each sum runs over two vectors of four lanes,
 *  then over the tail. */
export function softmax(x: usize, y: usize, cols: i32, begin: i32, end: i32): void {
  const rowBytes = (<usize>cols) << 2
  const blocks = rowBytes & ~31
  for (let row = begin; row < end; row++) {
    const source = x + (<usize>row) * rowBytes
    const target = y + (<usize>row) * rowBytes
    const peak = rowPeak(source, rowBytes)
    const shift = splat(peak)
    let s0 = splat(0)
    let s1 = s0
    let i: usize = 0
    for (; i < blocks; i += 32) {
      const a = exp4(f32x4.sub(v128.load(source + i), shift))
      const b = exp4(f32x4.sub(v128.load(source + i, 16), shift))
      s0 = f32x4.add(s0, a)
      s1 = f32x4.add(s1, b)
      v128.store(target + i, a)
      v128.store(target + i, b, 16)
    }
    let total = sumLanes(f32x4.add(s0, s1))
    for (; i < rowBytes; i += 4) {
      const a = exp1(load<f32>(source + i) - peak)
      total += a
      store<f32>(target + i, a)
    }

    const factor = splat(1 / total)
    for (i = 0; i < blocks; i += 32) {
      const a = f32x4.mul(factor, v128.load(target + i))
      const b = f32x4.mul(factor, v128.load(target + i, 16))
      v128.store(target + i, a)
      v128.store(target + i, b, 16)
    }
    for (; i < rowBytes; i += 4) store<f32>(target + i, f32x4.extract_lane(factor, 0) * load<f32>(target + i))
  }
}

/** dX = y · (dOut − Σ y·dOut) for rows begin … end−1. */
export function softmaxGrad(y: usize, dOut: usize, dX: usize, cols: i32, begin: i32, end: i32): void {
  const rowBytes = (<usize>cols) << 2
  const blocks = rowBytes & ~15
  for (let row = begin; row < end; row++) {
    const offset = (<usize>row) * rowBytes
    const yRow = y + offset
    const gRow = dOut + offset
    let sum = splat(0)
    let i: usize = 0
    for (; i < blocks; i += 16) sum = f32x4.add(sum, f32x4.mul(v128.load(yRow + i), v128.load(gRow + i)))
    let dot = sumLanes(sum)
    for (; i < rowBytes; i += 4) dot += load<f32>(yRow + i) * load<f32>(gRow + i)
    const shift = splat(dot)
    for (i = 0; i < blocks; i += 16)
      v128.store(dX + offset + i, f32x4.mul(v128.load(yRow + i), f32x4.sub(v128.load(gRow + i), shift)))
    for (; i < rowBytes; i += 4)
      store<f32>(dX + offset + i, load<f32>(yRow + i) * (load<f32>(gRow + i) - dot))
  }
}
