import { foldGpu, type GpuEngine, type GpuKernel, type Handle } from '@tau/tensor/kernel'
import type { TaumodeGradKernel, TaumodeKernel } from './taumode.ts'

// The same sums over edges as in assembly/taumode.ts. Each vector is first scaled by a power of two, so that
// its largest element lies between 1 and 2.
const ROW = '(this.thread.z * count + this.thread.y) * inner + this.thread.x'

const SCALE: GpuKernel = {
  name: 'taumodeScale',
  args: { peak: 'buffer' },
  body: `
    let scale = 1.0
    for (let n = 0; n < 60; n++) {
      if (peak[this.thread.x] * scale < 1) { scale = scale * 2 }
    }
    for (let n = 0; n < 126; n++) {
      if (peak[this.thread.x] * scale >= 2) { scale = scale / 2 }
    }
    return scale`,
}

const SCALED: GpuKernel = {
  name: 'taumodeScaled',
  args: { x: 'buffer', scale: 'buffer', dim: 'int' },
  body: 'return scale[this.thread.y] * x[this.thread.y * dim + this.thread.x]',
}

const ENERGY: GpuKernel = {
  name: 'taumodeEnergy',
  args: {
    x: 'buffer',
    scale: 'buffer',
    first: 'buffer',
    upper: 'buffer',
    columns: 'buffer',
    weights: 'buffer',
    rowSums: 'buffer',
    dim: 'int',
    degree: 'int',
    eps: 'float',
  },
  body: `
    let form = 0.0
    let formLost = 0.0
    let square = 0.0
    let squareLost = 0.0
    for (let i = 0; i < dim; i++) {
      const value = x[this.thread.x * dim + (i | 0)]
      let part = rowSums[i] * value * value
      for (let k = 0; k < degree; k++) {
        const edge = upper[i] + k
        if (edge < first[i + 1]) {
          const column = columns[edge | 0]
          const step = value - x[this.thread.x * dim + (column | 0)]
          part += weights[edge | 0] * step * step
        }
      }
      const formTerm = part - formLost
      const formNext = form + formTerm
      formLost = (formNext - form) - formTerm
      form = formNext
      const squareTerm = value * value - squareLost
      const squareNext = square + squareTerm
      squareLost = (squareNext - square) - squareTerm
      square = squareNext
    }
    square += eps * scale[this.thread.x] * scale[this.thread.x]
    if (form < 0) { return 0 }
    if (square === 0) { return 0 }
    return form / square`,
}

const LAMBDA: GpuKernel = {
  name: 'taumodeLambda',
  args: { energy: 'buffer', tau: 'buffer', count: 'int', inner: 'int' },
  body: `return energy[${ROW}] / (energy[${ROW}] + tau[this.thread.y])`,
}

const D_TAU: GpuKernel = {
  name: 'taumodeGradTau',
  args: { energy: 'buffer', tau: 'buffer', dLambda: 'buffer', count: 'int', inner: 'int' },
  body: `
    const both = energy[${ROW}] + tau[this.thread.y]
    return -(dLambda[${ROW}] / both) * (energy[${ROW}] / both)`,
}

/** The factor for (Lx − E·x) of the scaled vector. */
const FACTOR: GpuKernel = {
  name: 'taumodeFactor',
  args: {
    energy: 'buffer',
    tau: 'buffer',
    dLambda: 'buffer',
    scale: 'buffer',
    square: 'buffer',
    count: 'int',
    inner: 'int',
    eps: 'float',
  },
  body: `
    if (energy[${ROW}] === 0) { return 0 }
    const both = energy[${ROW}] + tau[this.thread.y]
    const dEnergy = 2.0 * (dLambda[${ROW}] / both) * (tau[this.thread.y] / both)
    return scale[${ROW}] * dEnergy / (square[${ROW}] + eps * scale[${ROW}] * scale[${ROW}])`,
}

const D_X: GpuKernel = {
  name: 'taumodeGrad',
  args: {
    x: 'buffer',
    factor: 'buffer',
    energy: 'buffer',
    first: 'buffer',
    columns: 'buffer',
    weights: 'buffer',
    rowSums: 'buffer',
    dim: 'int',
    degree: 'int',
  },
  body: `
    const value = x[this.thread.y * dim + this.thread.x]
    let total = (rowSums[this.thread.x] - energy[this.thread.y]) * value
    for (let k = 0; k < degree; k++) {
      const edge = first[this.thread.x] + k
      if (edge < first[this.thread.x + 1]) {
        const column = columns[edge | 0]
        const step = value - x[this.thread.y * dim + (column | 0)]
        total += weights[edge | 0] * step
      }
    }
    return factor[this.thread.y] * total`,
}

/** Scales rows. Fills scale [rows] and scaled [rows, dim]. */
function scalerGpu(engine: GpuEngine) {
  const peakOf = foldGpu(engine, {
    name: 'taumodePeak',
    op: 'max',
    args: { x: 'buffer' },
    term: (at) => `Math.abs(x[${at}])`,
  })
  const scaleOf = engine.kernel(SCALE)
  const scaledOf = engine.kernel(SCALED)
  return (x: Handle, scale: Handle, scaled: Handle, rows: number, dim: number) => {
    using peak = engine.scratch(rows)
    peakOf([x], peak.handle, rows, dim, 1)
    scaleOf([peak.handle], [rows], scale)
    scaledOf([x, scale, dim], [dim, rows], scaled)
  }
}

export function taumodeGpu(engine: GpuEngine): TaumodeKernel {
  const scaler = scalerGpu(engine)
  const energyOf = engine.kernel(ENERGY)
  const lambdaOf = engine.kernel(LAMBDA)
  return (x, laplacian, { values, inner, count }, energy, lambda, rows, eps) => {
    const { dim, maxDegree, first, upper, columns, weights, rowSums } = laplacian
    using scale = engine.scratch(rows)
    using scaled = engine.scratch(rows * dim)
    scaler(x, scale.handle, scaled.handle, rows, dim)
    const graph = [first, upper, columns, weights, rowSums].map(({ handle }) => handle)
    energyOf([scaled.handle, scale.handle, ...graph, dim, maxDegree, eps], [rows], energy)
    lambdaOf([energy, values, count, inner], [inner, count, rows / (inner * count)], lambda)
  }
}

export function taumodeGradGpu(engine: GpuEngine): TaumodeGradKernel {
  const scaler = scalerGpu(engine)
  const squareOf = foldGpu(engine, {
    name: 'taumodeSquare',
    op: 'sum',
    args: { x: 'buffer' },
    term: (at) => `x[${at}] * x[${at}]`,
  })
  const tauGrad = engine.kernel(D_TAU)
  const factorOf = engine.kernel(FACTOR)
  const grad = engine.kernel(D_X)
  return (x, laplacian, { values, inner, count }, energy, dLambda, { dX, dTau }, rows, eps) => {
    const { dim, maxDegree, first, columns, weights, rowSums } = laplacian
    const byTau = [inner, count, rows / (inner * count)] as const
    if (dTau !== undefined) tauGrad([energy, values, dLambda, count, inner], byTau, dTau)
    if (dX === undefined) return
    using scale = engine.scratch(rows)
    using scaled = engine.scratch(rows * dim)
    using square = engine.scratch(rows)
    using factor = engine.scratch(rows)
    scaler(x, scale.handle, scaled.handle, rows, dim)
    squareOf([scaled.handle], square.handle, rows, dim, 1)
    factorOf([energy, values, dLambda, scale.handle, square.handle, count, inner, eps], byTau, factor.handle)
    const graph = [first, columns, weights, rowSums].map(({ handle }) => handle)
    grad([scaled.handle, factor.handle, energy, ...graph, dim, maxDegree], [dim, rows], dX)
  }
}
