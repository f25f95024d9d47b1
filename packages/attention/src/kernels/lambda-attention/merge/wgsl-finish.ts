import type { WgslKernel } from '@tau/tensor/kernel'

export const FINISH_THREADS = 64

const SIZES = { heads: 'u32', queries: 'u32', keys: 'u32', lanes: 'u32' } as const

const main = (length: string, body: string) => `
@compute @workgroup_size(${FINISH_THREADS})
fn main(@builtin(global_invocation_id) id : vec3<u32>) {
  let head = id.y;
  if (id.x >= params.${length}) { return; }
  let row = head * params.${length} + id.x;
  let head_temperature = temperature[head % params.heads];
  var total = vec2<f32>();
  for (var lane = 0u; lane < params.lanes; lane++) {
    let at = 2u * (row * params.lanes + lane);
    total += vec2<f32>(parts[at], parts[at + 1u]);
  }
  ${body}
}`

/** dLambdaQ and the terms of dTemperature, moments [B·H, Tq]. Both are sums of the parts of
 *  {@link queryGradKernel}. */
export const FINISH_QUERIES: WgslKernel = {
  name: 'lambdaFinishQ',
  uniforms: SIZES,
  buffers: {
    temperature: { access: 'read' },
    parts: { access: 'read' },
    dLambdaQ: { access: 'write' },
    moments: { access: 'write' },
  },
  code: main(
    'queries',
    `dLambdaQ[row] = -total.x / head_temperature;
  moments[row] = total.y / head_temperature / head_temperature;`,
  ),
}

/** dLambdaK of each query head and, with decay, its dLogDecay. Both are sums of the parts of
 *  {@link keyGradKernel}. */
export const finishKeysKernel = (hasDecay: boolean): WgslKernel => ({
  name: `lambdaFinishK${hasDecay ? '_decay' : ''}`,
  uniforms: SIZES,
  buffers: {
    temperature: { access: 'read' },
    parts: { access: 'read' },
    dLambdaK: { access: 'write' },
    ...(hasDecay && { dLogDecay: { access: 'write' } }),
  },
  code: main(
    'keys',
    `dLambdaK[row] = total.x / head_temperature;
  ${hasDecay ? 'dLogDecay[row] = total.y;' : ''}`,
  ),
})
