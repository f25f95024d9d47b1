import {
  calibrateTau,
  LaplacianTensor,
  taumode as lambdaOf,
  rayleighEnergy,
  referenceTau,
} from '@tau/attention'
import type { Tensor } from '@tau/tensor'
import type { Fields } from '@tau/testing/oracle'
import type { Found } from '../compare.ts'
import { laplacianOf, outAndGradients, type Runner, tensorOf } from '../context.ts'

export const taumode: Runner = async ({ inputs }, { device }) => {
  using laplacian = LaplacianTensor.from(device, laplacianOf(inputs.fields('laplacian')))
  const eps = inputs.number('eps')
  const x = tensorOf(device, inputs.array('x'))
  const r = tensorOf(device, inputs.array('r'))
  const policies: Record<string, Found> = {}
  for (const policy of inputs.list('policies')) {
    const tau = await tauOf(policy, x, laplacian, eps)
    const { out, grads } = await outAndGradients({ x }, r, () => lambdaOf(x, laplacian, tau, { eps }))
    const found = typeof tau === 'number' ? tau : await tau.data()
    policies[nameOf(policy)] = { tau: found, lambda: out, grad_x: grads.x }
  }
  return { energy: await rayleighEnergy(x, laplacian, { eps }).data(), policies }
}

/** `fixed_1.0`, as Python writes the value. */
function nameOf(policy: Fields): string {
  const value = policy.optionalNumber('value')
  if (value === undefined) return policy.text('name')
  return `${policy.text('name')}_${Number.isInteger(value) ? value.toFixed(1) : value}`
}

async function tauOf(
  policy: Fields,
  x: Tensor,
  laplacian: LaplacianTensor,
  eps: number,
): Promise<Tensor | number> {
  const name = policy.text('name')
  switch (name) {
    case 'fixed':
      return Math.max(policy.number('value'), 1e-10)
    case 'median':
    case 'mean':
      return calibrateTau(x, laplacian, { name }, { eps })
    case 'percentile':
      return calibrateTau(x, laplacian, { name, value: policy.number('value') }, { eps })
    case 'reference_median':
      return referenceTau(x, 'median', eps)
    case 'reference_mean':
      return referenceTau(x, 'mean', eps)
    default:
      throw new Error(`oracle: policy must be one of those that taumode.ts knows, got ${name}; add it there`)
  }
}
