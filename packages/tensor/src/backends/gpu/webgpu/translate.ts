import { BackendError } from '../../../errors.ts'
import { type GpuJs, kernelSettings } from '../gpu-js.ts'
import { type GpuKernel, sourceOf } from '../kernel.ts'

/** Where a kernel of gpu.js 2.24 expects the sizes of buffers and the scalars in its uniforms. */
export interface ParamsLayout {
  readonly byteLength: number
  readonly arrayArgs: readonly { readonly index: number; readonly dimsOffset: number }[]
  readonly scalarArgs: readonly { readonly index: number; readonly offset: number; readonly type: string }[]
}

/** A gpu.js kernel as WGSL: the uniforms at binding 0, then the buffers in order, then the output. */
export interface Translation {
  readonly code: string
  readonly params: ParamsLayout
}

/** Members of a gpu.js kernel that its types lack. */
interface Translated {
  readonly compiledSource: string
  readonly translatedBody: string
  readonly paramsLayout: ParamsLayout
}

interface Buildable {
  build(...args: (number | Float32Array)[]): Promise<void>
  _buildAsync(): Promise<void>
}

/** Threads of a workgroup. */
export const WORKGROUP = 64

/** Entry point with all threads in one row of workgroups, which continues along y if it is too long. gpu.js's
 *  own entry has 8 × 8 threads per workgroup: they idle if y is short, and there are too few for a long x. */
const ENTRY = `@compute @workgroup_size(${WORKGROUP}, 1, 1)
fn main(@builtin(global_invocation_id) gid : vec3<u32>, @builtin(num_workgroups) groups : vec3<u32>) {
  let flat_index : u32 = gid.x + gid.y * groups.x * ${WORKGROUP}u;
  if (flat_index >= params.outputX * params.outputY * params.outputZ) { return; }
  let row : u32 = flat_index / params.outputX;
  threadGid = vec3<u32>(flat_index - row * params.outputX, row % params.outputY, row / params.outputY);
  let data_index : i32 = i32(flat_index);
`

/** Lets gpu.js translate a kernel for outputs of any rank and size. Throws gpu.js's own error for text that
 *  it does not accept, and BackendError if gpu.js is not version 2.24. */
export function translate(gpu: GpuJs, kernel: GpuKernel): Translation {
  const { kernel: translator }: { kernel: object } = gpu.createKernel(
    sourceOf(kernel),
    kernelSettings(kernel, 3),
  )
  if (!isBuildable(translator)) throw wrongVersion()
  translator._buildAsync = async () => {} // pipelines and buffers are ours
  // gpu.js needs arguments to know their types.
  void translator.build(
    ...Object.values(kernel.args).map((kind) => (kind === 'buffer' ? new Float32Array(1) : 1)),
  )
  if (!isTranslated(translator)) throw wrongVersion()
  const { compiledSource, translatedBody, paramsLayout } = translator
  const [declarations] = compiledSource.split('@compute')
  return { code: `${declarations}${ENTRY}${translatedBody}\n}`, params: paramsLayout }
}

const wrongVersion = () =>
  new BackendError(
    'gpu: gpu.js must be version 2.24, got a version with different kernels; install gpu.js@2.24',
  )

const isBuildable = (kernel: object): kernel is Buildable => 'build' in kernel && '_buildAsync' in kernel

const isTranslated = (kernel: object): kernel is Translated =>
  ['compiledSource', 'translatedBody', 'paramsLayout'].every(
    (name) => name in kernel && Reflect.get(kernel, name) !== null,
  )
