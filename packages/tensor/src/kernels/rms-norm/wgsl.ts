import type { GpuEngine } from '../../backends/gpu/engine.ts'
import { overColumns, type RowKernel, rowsWgsl } from '../../backends/gpu/wgsl-rows.ts'
import type { RmsNormGradKernel, RmsNormKernel } from './rms-norm.ts'

const RMS_NORM: RowKernel = {
  name: 'rmsNormRow',
  uniforms: { eps: 'f32' },
  buffers: { x: { access: 'read' }, y: { access: 'write' } },
  body: `
  let first = row * params.cols;
  var part = 0.0;
  ${overColumns('let v = x[first + col]; part += v * v;')}
  let root = sqrt(sum_of(thread, part) / f32(params.cols) + params.eps);
  ${overColumns('y[first + col] = x[first + col] / root;')}`,
}

const RMS_NORM_GRAD: RowKernel = {
  name: 'rmsNormGradRow',
  uniforms: { eps: 'f32' },
  buffers: { x: { access: 'read' }, dOut: { access: 'read' }, dX: { access: 'write' } },
  body: `
  let first = row * params.cols;
  var energy = 0.0;
  var product = 0.0;
  ${overColumns(`
    let v = x[first + col];
    energy += v * v;
    product += v * dOut[first + col];`)}
  let cols = f32(params.cols);
  let s = 1.0 / sqrt(sum_of(thread, energy) / cols + params.eps);
  let mean = s * sum_of(thread, product) / cols;
  ${overColumns('dX[first + col] = s * (dOut[first + col] - s * x[first + col] * mean);')}`,
}

export function rmsNormWgsl(engine: GpuEngine): RmsNormKernel {
  const launch = rowsWgsl(engine, RMS_NORM)
  return (x, y, rows, cols, eps) => launch([x, y], rows, cols, [eps])
}

export function rmsNormGradWgsl(engine: GpuEngine): RmsNormGradKernel {
  const launch = rowsWgsl(engine, RMS_NORM_GRAD)
  return (x, dOut, dX, rows, cols, eps) => launch([x, dOut, dX], rows, cols, [eps])
}
