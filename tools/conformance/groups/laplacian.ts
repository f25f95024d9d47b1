import { type AffinityKernel, featureLaplacian, type Metric, type Normalization, toCoo } from '@tau/graph'
import type { Runner } from '../context.ts'

const metrics: Readonly<Record<string, Metric>> = {
  cosine: 'cosine',
  cosine_unrectified: 'cosine-unrectified',
  euclidean: 'euclidean',
}
const kernels: Readonly<Record<string, AffinityKernel>> = { rational: 'rational', gaussian: 'gaussian' }
const normalizations: Readonly<Record<string, Normalization>> = {
  none: 'none',
  sym: 'symmetric',
  rw: 'random-walk',
}

function choose<T>(table: Readonly<Record<string, T>>, name: string): T {
  if (!(name in table))
    throw new Error(
      `oracle: a setting of a Laplacian must be one of ${Object.keys(table).join(', ')}, got ${name}`,
    )
  return table[name]
}

export const laplacian: Runner = async ({ inputs }) => {
  const { shape, data } = inputs.array('x')
  const params = inputs.fields('params')
  const L = await featureLaplacian(
    { rows: shape[0], cols: shape[1], data: Float64Array.from(data) },
    {
      k: params.number('k'),
      eps: params.optionalNumber('eps') ?? null,
      metric: choose(metrics, params.text('metric')),
      kernel: choose(kernels, params.text('kernel')),
      sigma: params.number('sigma'),
      p: params.number('p'),
      sparsify: params.flag('sparsify'),
      normalization: choose(normalizations, params.text('normalization')),
    },
  )
  const { row, col, value } = toCoo(L)
  return { size: L.nRows, row, col, value }
}
