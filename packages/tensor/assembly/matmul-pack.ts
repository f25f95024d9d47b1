// Packing: a matrix becomes panels of `width` lanes (MR rows of A or NR columns of B), each stored [depth,
// width]. So the micro-kernel reads both operands from front to back, whatever the layout of the source.
// Lanes beyond the matrix are zeros.
// A whole panel of copied rows is filled in one pass, other panels in strips of 4, 2 and 1 lanes. A panel
// fits in the first-level cache, so strips cost no more memory traffic.

/** Steps of k that are copied before the next panel is filled. Rows of the source are often a power of two
 *  apart, so they share sets of the first-level cache. So few rows stay in the cache until all their panels
 *  are filled. */
const COPY_STEPS: i32 = 16

/** Packs lanes [0, lanes) of `source` for k < depth as ⌈lanes / width⌉ panels at `target`. Element (lane, k)
 *  lies at lane·laneBytes + k·depthBytes; one of these two steps must be 4. */
export function packPanels(
  source: usize,
  laneBytes: usize,
  depthBytes: usize,
  lanes: i32,
  depth: i32,
  width: i32,
  target: usize,
): void {
  const panelRow = (<usize>width) << 2
  const panelBytes = (<usize>depth) * panelRow
  const steps = depthBytes == 4 ? depth : COPY_STEPS
  for (let k = 0; k < depth; k += steps) {
    let from = source + (<usize>k) * depthBytes
    let to = target + (<usize>k) * panelRow
    for (let first = 0; first < lanes; first += width) {
      packStrips(from, laneBytes, depthBytes, min(width, lanes - first), min(steps, depth - k), to, panelRow)
      from += (<usize>width) * laneBytes
      to += panelBytes
    }
  }
}

/** Fills `depth` rows of one panel. */
function packStrips(
  source: usize,
  laneBytes: usize,
  depthBytes: usize,
  lanes: i32,
  depth: i32,
  target: usize,
  panelRow: usize,
): void {
  const end = target + panelRow
  let left = lanes
  if (depthBytes != 4) {
    if (left == 16) return copy16(source, depthBytes, depth, target, panelRow)
    if (left == 8) return copy8(source, depthBytes, depth, target, panelRow)
    if (left == 6) return copy6(source, depthBytes, depth, target, panelRow)
  } else if (left == 6) return transpose6(source, laneBytes, depth, target, panelRow)
  for (; left >= 4; left -= 4) {
    if (depthBytes == 4) transpose4(source, laneBytes, depth, target, panelRow)
    else copy4(source, depthBytes, depth, target, panelRow)
    source += laneBytes << 2
    target += 16
  }
  if (left >= 2) {
    if (depthBytes == 4) transpose2(source, laneBytes, depth, target, panelRow)
    else copy2(source, depthBytes, depth, target, panelRow)
    source += laneBytes << 1
    target += 8
    left -= 2
  }
  if (left == 1) {
    copy1(source, depthBytes, depth, target, panelRow)
    target += 4
  }
  for (; target < end; target += 4) zero1(depth, target, panelRow)
}

/** Four rows of the source become four lanes: 4 × 4 transposes with two rounds of shuffles. */
function transpose4(source: usize, rowBytes: usize, depth: i32, target: usize, panelRow: usize): void {
  const row1 = source + rowBytes
  const row2 = row1 + rowBytes
  const row3 = row2 + rowBytes
  const bytes = (<usize>depth) << 2
  let k: usize = 0
  for (; k + 16 <= bytes; k += 16) {
    const a = v128.load(source + k)
    const b = v128.load(row1 + k)
    const c = v128.load(row2 + k)
    const d = v128.load(row3 + k)
    const abLow = i32x4.shuffle(a, b, 0, 4, 1, 5)
    const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7)
    const cdLow = i32x4.shuffle(c, d, 0, 4, 1, 5)
    const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7)
    v128.store(target, i64x2.shuffle(abLow, cdLow, 0, 2))
    target += panelRow
    v128.store(target, i64x2.shuffle(abLow, cdLow, 1, 3))
    target += panelRow
    v128.store(target, i64x2.shuffle(abHigh, cdHigh, 0, 2))
    target += panelRow
    v128.store(target, i64x2.shuffle(abHigh, cdHigh, 1, 3))
    target += panelRow
  }
  for (; k < bytes; k += 4) {
    store<f32>(target, load<f32>(source + k))
    store<f32>(target, load<f32>(row1 + k), 4)
    store<f32>(target, load<f32>(row2 + k), 8)
    store<f32>(target, load<f32>(row3 + k), 12)
    target += panelRow
  }
}

/** Six rows of the source become six lanes: a panel of A. */
function transpose6(source: usize, rowBytes: usize, depth: i32, target: usize, panelRow: usize): void {
  const row1 = source + rowBytes
  const row2 = row1 + rowBytes
  const row3 = row2 + rowBytes
  const row4 = row3 + rowBytes
  const row5 = row4 + rowBytes
  const bytes = (<usize>depth) << 2
  let k: usize = 0
  for (; k + 16 <= bytes; k += 16) {
    const a = v128.load(source + k)
    const b = v128.load(row1 + k)
    const c = v128.load(row2 + k)
    const d = v128.load(row3 + k)
    const e = v128.load(row4 + k)
    const f = v128.load(row5 + k)
    const abLow = i32x4.shuffle(a, b, 0, 4, 1, 5)
    const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7)
    const cdLow = i32x4.shuffle(c, d, 0, 4, 1, 5)
    const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7)
    const efLow = i32x4.shuffle(e, f, 0, 4, 1, 5)
    const efHigh = i32x4.shuffle(e, f, 2, 6, 3, 7)
    v128.store(target, i64x2.shuffle(abLow, cdLow, 0, 2))
    v128.store64_lane(target, efLow, 0, 16)
    target += panelRow
    v128.store(target, i64x2.shuffle(abLow, cdLow, 1, 3))
    v128.store64_lane(target, efLow, 1, 16)
    target += panelRow
    v128.store(target, i64x2.shuffle(abHigh, cdHigh, 0, 2))
    v128.store64_lane(target, efHigh, 0, 16)
    target += panelRow
    v128.store(target, i64x2.shuffle(abHigh, cdHigh, 1, 3))
    v128.store64_lane(target, efHigh, 1, 16)
    target += panelRow
  }
  for (; k < bytes; k += 4) {
    store<f32>(target, load<f32>(source + k))
    store<f32>(target, load<f32>(row1 + k), 4)
    store<f32>(target, load<f32>(row2 + k), 8)
    store<f32>(target, load<f32>(row3 + k), 12)
    store<f32>(target, load<f32>(row4 + k), 16)
    store<f32>(target, load<f32>(row5 + k), 20)
    target += panelRow
  }
}

function transpose2(source: usize, rowBytes: usize, depth: i32, target: usize, panelRow: usize): void {
  const row1 = source + rowBytes
  const bytes = (<usize>depth) << 2
  let k: usize = 0
  for (; k + 16 <= bytes; k += 16) {
    const a = v128.load(source + k)
    const b = v128.load(row1 + k)
    const low = i32x4.shuffle(a, b, 0, 4, 1, 5)
    const high = i32x4.shuffle(a, b, 2, 6, 3, 7)
    v128.store64_lane(target, low, 0)
    target += panelRow
    v128.store64_lane(target, low, 1)
    target += panelRow
    v128.store64_lane(target, high, 0)
    target += panelRow
    v128.store64_lane(target, high, 1)
    target += panelRow
  }
  for (; k < bytes; k += 4) {
    store<f32>(target, load<f32>(source + k))
    store<f32>(target, load<f32>(row1 + k), 4)
    target += panelRow
  }
}

function copy16(source: usize, rowBytes: usize, depth: i32, target: usize, panelRow: usize): void {
  for (let k = 0; k < depth; k++) {
    v128.store(target, v128.load(source))
    v128.store(target, v128.load(source, 16), 16)
    v128.store(target, v128.load(source, 32), 32)
    v128.store(target, v128.load(source, 48), 48)
    source += rowBytes
    target += panelRow
  }
}

function copy8(source: usize, rowBytes: usize, depth: i32, target: usize, panelRow: usize): void {
  for (let k = 0; k < depth; k++) {
    v128.store(target, v128.load(source))
    v128.store(target, v128.load(source, 16), 16)
    source += rowBytes
    target += panelRow
  }
}

function copy6(source: usize, rowBytes: usize, depth: i32, target: usize, panelRow: usize): void {
  for (let k = 0; k < depth; k++) {
    v128.store(target, v128.load(source))
    store<u64>(target, load<u64>(source, 16), 16)
    source += rowBytes
    target += panelRow
  }
}

function copy4(source: usize, rowBytes: usize, depth: i32, target: usize, panelRow: usize): void {
  for (let k = 0; k < depth; k++) {
    v128.store(target, v128.load(source))
    source += rowBytes
    target += panelRow
  }
}

function copy2(source: usize, rowBytes: usize, depth: i32, target: usize, panelRow: usize): void {
  for (let k = 0; k < depth; k++) {
    store<u64>(target, load<u64>(source))
    source += rowBytes
    target += panelRow
  }
}

function copy1(source: usize, rowBytes: usize, depth: i32, target: usize, panelRow: usize): void {
  for (let k = 0; k < depth; k++) {
    store<f32>(target, load<f32>(source))
    source += rowBytes
    target += panelRow
  }
}

function zero1(depth: i32, target: usize, panelRow: usize): void {
  for (let k = 0; k < depth; k++) {
    store<f32>(target, 0)
    target += panelRow
  }
}
