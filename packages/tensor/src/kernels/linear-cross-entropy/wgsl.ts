import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { overColumns, type RowKernel, rowsWgsl } from '../../backends/gpu/wgsl-rows.ts'
import { LOG_WGSL, TANH_WGSL } from '../../backends/gpu/wgsl-text.ts'
import { ROW_TOTAL_WGSL, rowTotalWgsl } from '../softmax/wgsl.ts'
import type { LogitLossKernel } from './linear-cross-entropy.ts'

/** Clamp and cap are applied whenever a logit is read, twice if there is a gradient, so no second matrix is
 *  needed. If cap is 0, there is no cap. NaN passes the clamp. */
const LOGIT_LOSS: RowKernel = {
  name: 'logitLossRow',
  uniforms: {
    first: 'u32',
    gradient: 'u32',
    limit: 'f32',
    cap: 'f32',
    nan: 'f32',
  },
  buffers: {
    z: { access: 'update' },
    targets: { access: 'read' },
    count: { access: 'read' },
    losses: { access: 'update' },
  },
  helpers: `${ROW_TOTAL_WGSL}
${LOG_WGSL}
${TANH_WGSL}
fn bounded(z : f32) -> f32 {
  var v = z;
  if (v < -params.limit) { v = -params.limit; }
  if (v > params.limit) { v = params.limit; }
  if (params.cap > 0.0) { return params.cap * tanh_of(v / params.cap); }
  return v;
}`,
  body: `
  let start = row * params.cols;
  let label = targets[params.first + row];
  ${rowTotalWgsl('let v = bounded(z[start + col]);')}
  if (thread == 0u) {
    var loss = 0.0;
    if (label >= 0.0) {
      loss = params.nan;
      if (label < f32(params.cols)) { loss = log_of(total) + (peak - bounded(z[start + u32(label)])); }
    }
    losses[params.first + row] = loss;
  }
  if (params.gradient == 0u) { return; }
  storageBarrier(); // because the target's logit is read above
  let divisor = count[0];
  ${overColumns(`
    let v = z[start + col];
    var slope = 0.0;
    if (label >= 0.0 && !(v < -params.limit || v > params.limit)) {
      let y = bounded(v);
      var p = exp_of(y - peak) / total;
      if (col == u32(label)) { p -= 1.0; }
      slope = p / divisor;
      if (params.cap > 0.0) {
        let t = y / params.cap;
        slope *= 1.0 - t * t;
      }
    }
    z[start + col] = slope;`)}`,
}

export function logitLossWgsl(engine: GpuEngine): LogitLossKernel {
  const launch = rowsWgsl(engine, LOGIT_LOSS)
  return (logits, targets, count, losses, { rows, cols, first, clamp, softcap, gradient }) =>
    launch([logits, targets, count, losses], rows, cols, [
      ...[first, Number(gradient), clamp, softcap, Number.NaN],
    ])
}
