import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { overColumns, type RowKernel, rowsWgsl } from '../../backends/gpu/wgsl-rows.ts'
import { LOG_WGSL } from '../../backends/gpu/wgsl-text.ts'
import { ROW_TOTAL_WGSL, rowTotalWgsl } from '../softmax/wgsl.ts'
import type { CrossEntropyKernel } from './cross-entropy.ts'

const ROWS: RowKernel = {
  name: 'crossEntropyRow',
  uniforms: { nan: 'f32' },
  buffers: {
    logits: { access: 'read' },
    targets: { access: 'read' },
    logSumExp: { access: 'write' },
    losses: { access: 'write' },
  },
  helpers: `${ROW_TOTAL_WGSL}${LOG_WGSL}`,
  body: `
  let first = row * params.cols;
  ${rowTotalWgsl('let v = logits[first + col];')}
  if (thread > 0u) { return; }
  let log_total = log_of(total);
  logSumExp[row] = peak + log_total;
  let label = targets[row];
  var loss = 0.0;
  if (label >= 0.0) {
    loss = params.nan;
    // peak - logit is a small difference and keeps its low bits. logSumExp - logit would lose them.
    if (label < f32(params.cols)) { loss = log_total + (peak - logits[first + u32(label)]); }
  }
  losses[row] = loss;`,
}

/** The mean over all rows, by one workgroup. It sees the losses as the columns of one row. */
const MEAN: RowKernel = {
  name: 'crossEntropyMeanOfRows',
  buffers: { losses: { access: 'read' }, targets: { access: 'read' }, loss: { access: 'write' } },
  body: `
  var part = 0.0;
  var counted = 0.0;
  ${overColumns(`
    part += losses[col];
    counted += select(0.0, 1.0, targets[col] >= 0.0);`)}
  let sum = sum_of(thread, part);
  let count = sum_of(thread, counted);
  if (thread > 0u) { return; }
  loss[0] = select(0.0, sum / max(count, 1.0), count > 0.0);
  loss[1] = count;`,
}

export function crossEntropyWgsl(engine: GpuEngine): CrossEntropyKernel {
  const ofRows = rowsWgsl(engine, ROWS)
  const mean = rowsWgsl(engine, MEAN)
  return (logits, targets, logSumExp, loss, rows, cols) => {
    using losses = engine.scratch(rows)
    ofRows([logits, targets, logSumExp, losses.handle], rows, cols, [Number.NaN])
    mean([losses.handle, targets, loss], 1, rows)
  }
}
