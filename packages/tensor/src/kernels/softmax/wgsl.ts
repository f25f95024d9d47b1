import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { overColumns, type RowKernel, rowsWgsl } from '../../backends/gpu/wgsl-rows.ts'
import { EXP_WGSL, IS_NAN_WGSL } from '../../backends/gpu/wgsl-text.ts'
import type { SoftmaxGradKernel, SoftmaxKernel } from './softmax.ts'

/** The functions that {@link rowTotalWgsl} calls. */
export const ROW_TOTAL_WGSL = `${IS_NAN_WGSL}${EXP_WGSL}`

/** Statements that make `peak`, the largest value of a row, and `total` = Σ e^{v − peak}, at least 1. They
 *  walk over the columns once and rescale the sum when the peak rises. `total` is NaN if the row contains NaN
 *  or +∞, or if all of it is −∞. `value` is text that makes `v`. Needs the uniform `nan`. */
export const rowTotalWgsl = (value: string): string => `
  var top = -3.4028234e38;
  var part = 0.0;
  ${overColumns(`
    ${value}
    if (v > top) {
      part = part * exp(top - v) + 1.0;
      top = v;
    } else {
      part += exp_of(v - top);
    }`)}
  let peak = max_of(thread, top);
  var total = sum_of(thread, part * exp(top - peak));
  if (peak > 3.4028234e38 || total == 0.0) { total = params.nan; }`

const SOFTMAX: RowKernel = {
  name: 'softmaxRow',
  uniforms: { nan: 'f32' },
  buffers: { x: { access: 'read' }, y: { access: 'write' } },
  helpers: ROW_TOTAL_WGSL,
  body: `
  let first = row * params.cols;
  ${rowTotalWgsl('let v = x[first + col];')}
  ${overColumns('y[first + col] = exp_of(x[first + col] - peak) / total;')}`,
}

const SOFTMAX_GRAD: RowKernel = {
  name: 'softmaxGradRow',
  buffers: { y: { access: 'read' }, dOut: { access: 'read' }, dX: { access: 'write' } },
  body: `
  let first = row * params.cols;
  var part = 0.0;
  ${overColumns('part += y[first + col] * dOut[first + col];')}
  let product = sum_of(thread, part);
  ${overColumns('dX[first + col] = y[first + col] * (dOut[first + col] - product);')}`,
}

export function softmaxWgsl(engine: GpuEngine): SoftmaxKernel {
  const launch = rowsWgsl(engine, SOFTMAX)
  return (x, y, rows, cols) => launch([x, y], rows, cols, [Number.NaN])
}

export function softmaxGradWgsl(engine: GpuEngine): SoftmaxGradKernel {
  const launch = rowsWgsl(engine, SOFTMAX_GRAD)
  return (y, dOut, dX, rows, cols) => launch([y, dOut, dX], rows, cols)
}
