import type { GpuEngine } from '../../backends/gpu/engine.ts'
import type { GpuKernel } from '../../backends/gpu/kernel.ts'
import type { CopyKernel } from './copy.ts'

/** Writes the whole target, seen as rows of `stride` elements: thread.y counts rows, thread.x columns. The
 *  block starts at column p of row q. A part of the block that goes beyond the end of a row continues at the
 *  start of the next row. This way no index is divided. */
const COPY: GpuKernel = {
  name: 'copyBlock',
  args: {
    source: 'buffer',
    target: 'buffer',
    length: 'int',
    stride: 'int',
    p: 'int',
    q: 'int',
    rows: 'int',
    cols: 'int',
    sourceOffset: 'int',
    sourceStride: 'int',
  },
  body: `
    if (this.thread.x >= p && this.thread.x < p + cols && this.thread.y >= q && this.thread.y < q + rows) {
      return source[sourceOffset + (this.thread.y - q) * sourceStride + this.thread.x - p]
    }
    if (this.thread.x < p + cols - stride && this.thread.y > q && this.thread.y <= q + rows) {
      return source[sourceOffset + (this.thread.y - q - 1) * sourceStride + this.thread.x - p + stride]
    }
    if (this.thread.y * stride + this.thread.x < length) {
      return target[this.thread.y * stride + this.thread.x]
    }
    return 0`,
}

export function copyGpu(engine: GpuEngine): CopyKernel {
  const launch = engine.kernel(COPY)
  return (source, target, rows, cols) => {
    if (rows === 0 || cols === 0) return
    const length = engine.lengthOf(target.handle)
    const stride = rows === 1 ? length : target.stride
    const p = target.offset % stride
    const q = Math.floor(target.offset / stride)
    launch(
      [source.handle, target.handle, length, stride, p, q, rows, cols, source.offset, source.stride],
      [stride, Math.ceil(length / stride)],
      target.handle,
    )
  }
}
