import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { encodeModel, type OnnxModel } from './model.ts'

/** The part of onnxruntime-node's interface that is used here. The package is not in the workspace, so its
 *  types are not at hand. */
interface OnnxRuntime {
  readonly env: { readonly versions: { readonly node?: string } }
  readonly Tensor: new (
    type: string,
    data: Float32Array | readonly number[],
    shape: readonly number[],
  ) => unknown
  readonly InferenceSession: {
    create(model: Uint8Array, options: object): Promise<InferenceSession>
  }
}

interface InferenceSession {
  run(feeds: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, { data: Float32Array }>>>
}

/** Loads onnxruntime-node from a folder of installed packages. */
export async function loadRuntime(modules: string): Promise<OnnxRuntime> {
  const entry = createRequire(`${modules}/`).resolve('onnxruntime-node')
  return ((await import(pathToFileURL(entry).href)) as { default: OnnxRuntime }).default
}

export const versionOf = ({ env }: OnnxRuntime): string => `onnxruntime ${env.versions.node}`

/** A model on the CPU with its inputs bound. The result is a function that runs it and gives its output. */
export async function openSession(
  { Tensor, InferenceSession }: OnnxRuntime,
  model: OnnxModel,
  values: Readonly<Record<string, Float32Array | readonly number[]>>,
  threads: number,
): Promise<() => Promise<Float32Array>> {
  const session = await InferenceSession.create(encodeModel(model), {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // An idle thread of the pool would busy-wait on a core that the next contestant needs.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  })
  const feeds = Object.fromEntries(
    model.inputs.map(({ name, type, shape }) => [name, new Tensor(type, values[name], shape)]),
  )
  const { name } = model.output
  return async () => (await session.run(feeds))[name].data
}
