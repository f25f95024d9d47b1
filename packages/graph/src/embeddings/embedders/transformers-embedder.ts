import { BackendError, FormatError } from '@tau/tensor'
import type { DenseMatrix } from '../../dense/matrix.ts'
import { GraphError } from '../../errors.ts'
import { type Embedder, type EmbedderOptions, embedderOf } from './embedder.ts'

/** The part of @huggingface/transformers that we use. */
export interface Transformers {
  env: { allowRemoteModels: boolean; localModelPath: string }
  pipeline(
    task: 'feature-extraction',
    model: string,
    options: { dtype: string; local_files_only: boolean },
  ): Promise<FeatureExtraction>
}

export type FeatureExtraction = (
  texts: string[],
  options: { pooling: 'mean' | 'cls'; normalize: boolean },
) => Promise<{ dims: readonly number[]; data: ArrayLike<number> }>

export interface TransformersOptions extends EmbedderOptions {
  /** how the vectors of a text's tokens become one vector; choose it as the model was trained; 'mean' unless
   *  given */
  pooling?: 'mean' | 'cls'
  /** whether vectors are scaled to length 1; true unless given */
  normalize?: boolean
  /** which weights of the folder to use: 'fp32' is onnx/model.onnx, 'q8' is onnx/model_quantized.onnx; 'fp32'
   *  unless given */
  dtype?: string
  /** the module @huggingface/transformers; imported when it is needed unless given */
  transformers?: Transformers
}

const PACKAGE: string = '@huggingface/transformers'

/** An embedder from a model in a folder. The folder has the layout of the Hub: config.json, tokenizer.json,
 *  tokenizer_config.json, onnx/model.onnx. Nothing is downloaded. The package is an optional peer.
 *  Throws BackendError if the package is not installed or does not load, and FormatError if the folder has no
 *  model that the package can read. */
export const transformersEmbedder = async (
  folder: string,
  options: TransformersOptions = {},
): Promise<Embedder> => {
  const { pooling = 'mean', normalize = true, dtype = 'fp32', batchSize, transformers } = options
  const extract = await loadModel(transformers ?? (await loadPackage()), folder, dtype)
  const f = async (texts: readonly string[]): Promise<DenseMatrix> => {
    const { dims, data } = await extract([...texts], { pooling, normalize })
    if (dims.length !== 2) {
      throw new GraphError(
        `transformersEmbedder: the model must give one vector per text, got an output of shape [${dims.join(', ')}]; use a model for feature extraction`,
      )
    }
    return { data: Float64Array.from(data), rows: dims[0], cols: dims[1] }
  }
  return embedderOf(folder, f, { batchSize })
}

const loadPackage = async (): Promise<Transformers> => {
  try {
    // PACKAGE is not a literal, because bundlers must not look for it.
    return (await import(/* webpackIgnore: true */ /* @vite-ignore */ PACKAGE)) as Transformers
  } catch (error) {
    throw new BackendError(
      `transformersEmbedder: ${PACKAGE} must be installed, got ${reasonOf(error)}; install it with: npm install ${PACKAGE}`,
      { cause: error },
    )
  }
}

const loadModel = async (
  { env, pipeline }: Transformers,
  folder: string,
  dtype: string,
): Promise<FeatureExtraction> => {
  const { basename, dirname, resolve } = process.getBuiltinModule('node:path')
  const path = resolve(folder)
  // The package finds local models only by these two settings. They belong to the whole program, so they are
  // set for the loading and then restored.
  const { allowRemoteModels, localModelPath } = env
  Object.assign(env, { allowRemoteModels: false, localModelPath: dirname(path) })
  try {
    return await pipeline('feature-extraction', basename(path), { dtype, local_files_only: true })
  } catch (error) {
    throw new FormatError(
      `transformersEmbedder: ${folder} must hold a model with ONNX weights (${dtype}), got ${reasonOf(error)}; ` +
        'put config.json, tokenizer.json, tokenizer_config.json and onnx/ of a model of the Hugging Face Hub there',
      { cause: error },
    )
  } finally {
    Object.assign(env, { allowRemoteModels, localModelPath })
  }
}

const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]
