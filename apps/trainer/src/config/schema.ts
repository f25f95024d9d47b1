import {
  defaultDataSettings,
  defaultManifoldSettings,
  defaultSampleSettings,
  defaultTrainOptions,
  type TrainOptions,
} from '@tau/train'
import { z } from 'zod'
import { modelSection } from './model.ts'
import { optimizerFields, optimizerHelp, optimizerNames } from './optimizer.ts'

/** Texts about a field for --help and error messages, besides its type and range. */
interface About {
  readonly unit?: string
  /** Short flag, in addition to `--section.key`. */
  readonly flag?: string
  /** Name of the value in help. Default: `text`. */
  readonly value?: string
  /** Meaning of `null`, which is `none` on the command line. */
  readonly none?: string
  /** Value of the flag if it is given without one. */
  readonly bare?: string
  /** Default in words, if the schema has none. */
  readonly otherwise?: string
}

const about = <T extends z.ZodType>(schema: T, description: string, more: About = {}): T =>
  schema.meta({ description, ...more })

const whole = (min: number) => z.int().min(min)
const above0 = z.number().positive()
const atLeast0 = z.number().min(0)

const data = z.strictObject({
  files: about(
    z.array(z.string().min(1)).default([]),
    'Text files to train on, in this order; they must be UTF-8',
    {
      flag: 'data',
    },
  ),
  heldOut: about(
    z.number().gt(0).lt(1).default(defaultDataSettings.heldOut),
    'Share at the end of the text that is kept for validation and never trained on',
    {
      unit: 'share',
    },
  ),
  shards: about(z.string().min(1).optional(), 'Folder that tau prepare wrote; replaces the text files', {
    value: 'folder',
  }),
})

const tokenizer = z.strictObject({
  path: about(z.string().min(1).optional(), 'tokenizer.json to load; no tokenizer is learned then', {
    flag: 'tokenizer',
    value: 'file',
  }),
  vocabSize: about(
    z
      .int()
      .min(257)
      .max(2 ** 24)
      .optional(),
    'Number of tokens to learn, including the 256 bytes and one special token',
    {
      flag: 'vocab-size',
      unit: 'tokens',
      otherwise: 'the vocabulary of the size',
    },
  ),
})

const manifold = z.strictObject({
  path: about(
    z.string().min(1).optional(),
    'Manifold folder or .parquet file to load; no manifold is built then',
    {
      flag: 'manifold',
      value: 'path',
    },
  ),
  embeddings: about(
    z.string().min(1).optional(),
    'Embeddings file to build the manifold from: .npy, .jsonl, .parquet, .safetensors; word vectors: .txt, .vec, .json',
    {
      flag: 'embeddings',
      value: 'file',
      otherwise: 'embeddings of the training text',
    },
  ),
  embeddingsName: about(z.string().min(1).optional(), 'Field, column or tensor of the embeddings file', {
    otherwise: 'the only one',
  }),
  width: about(whole(2).optional(), 'Width of the embeddings made from the training text', {
    otherwise: '128, or less if the text does not give as much',
  }),
  passageTokens: about(
    whole(2).default(defaultManifoldSettings.passageTokens),
    'Length of a passage; each passage of the text gets one embedding',
    {
      unit: 'words',
    },
  ),
  weighting: about(
    z.enum(['tf-idf', 'ppmi']).default(defaultManifoldSettings.weighting),
    'How the words of a passage are weighted',
  ),
  k: about(whole(1).optional(), 'Nearest neighbours per feature', {
    otherwise: 'a quarter of the features, but at most 15',
  }),
  sigma: about(above0.optional(), 'Distance σ at which the weight of an edge is 1/2', {
    otherwise: 'median neighbour distance',
  }),
  p: about(
    above0.default(defaultManifoldSettings.p),
    'Exponent p of the weights 1 / (1 + (d/σ)^p), where d is the distance',
  ),
  eps: about(
    above0.nullable().default(defaultManifoldSettings.eps),
    'Largest distance at which features are neighbours',
    {
      none: 'no limit',
    },
  ),
  metric: about(
    z.enum(['cosine', 'euclidean']).default(defaultManifoldSettings.metric),
    'Distance between features',
  ),
  kernel: about(
    z.enum(['rational', 'gaussian']).default(defaultManifoldSettings.kernel),
    'How the distance gives the weight of an edge',
  ),
  normalization: about(
    z.enum(['none', 'symmetric']).default(defaultManifoldSettings.normalization),
    'Laplacian: none is D − W, symmetric is normalised by the degrees',
  ),
  sparsify: about(
    z.boolean().default(defaultManifoldSettings.sparsify),
    'Keep the stronger half of long neighbour lists',
  ),
  reduce: about(
    z.enum(['random', 'pca', 'rotated-pca', 'none']).default(defaultManifoldSettings.reduce),
    'How the width of the embeddings is reduced to the head dimension',
  ),
  center: about(
    z.boolean().default(defaultManifoldSettings.center),
    'Subtract the mean embedding before the reduction',
  ),
  sample: about(
    z.number().gt(0).max(1).default(defaultManifoldSettings.sample),
    'Share of the embeddings to use, chosen at random; 1: all',
    {
      unit: 'share',
    },
  ),
  clusters: about(
    whole(2).nullable().default(defaultManifoldSettings.clusters),
    'Number of k-means clusters; their centres replace the embeddings',
    { none: 'use the embeddings themselves' },
  ),
  tau: about(
    z.enum(['median', 'mean']).default(defaultManifoldSettings.tau),
    'τ of the manifold: the median or the mean of the energies of the embeddings',
  ),
  memory: about(
    whole(32).default(defaultManifoldSettings.memory),
    'Memory for reading an embeddings file; the file may be larger',
    {
      unit: 'MiB',
    },
  ),
  seed: about(whole(0).default(defaultManifoldSettings.seed), 'Seed of the random projections and samples'),
})

const defaults = defaultTrainOptions
const trainFields = {
  steps: about(whole(1).default(defaults.steps), 'Optimizer steps of the whole run'),
  batchSize: about(whole(1).default(defaults.batchSize), 'Sequences per forward pass'),
  accumulate: about(
    whole(1).default(defaults.accumulate),
    'Forward passes per step; their gradients are averaged',
  ),
  optimizer: about(z.enum(optimizerNames).default(defaults.optimizer.name), optimizerHelp),
  lr: about(above0.default(defaults.lr), 'Peak learning rate, reached at the end of the warm-up'),
  minLr: about(atLeast0.default(defaults.minLr), 'Learning rate at the end of the cosine'),
  warmup: about(whole(0).default(defaults.warmup), 'Length of the linear warm-up', { unit: 'steps' }),
  weightDecay: about(
    atLeast0.default(defaults.weightDecay),
    'Decoupled weight decay of parameters with two axes or more',
  ),
  ...optimizerFields,
  gradClip: about(
    above0.nullable().default(defaults.gradClip),
    'Gradients with a larger global norm are scaled down to it',
    {
      none: 'no clipping',
    },
  ),
  seed: about(
    whole(0).default(defaults.seed),
    'Seed of the initial parameters, the data order and the samples',
    {
      flag: 'seed',
    },
  ),
  evalEvery: about(whole(0).default(defaults.evalEvery), 'Steps between validations; 0: only at the end', {
    unit: 'steps',
  }),
  evalTokens: about(
    whole(1).nullable().default(defaults.evalTokens),
    'Number of held-out tokens per validation',
    {
      none: 'all',
    },
  ),
  headsEvery: about(
    whole(0).default(defaults.headsEvery),
    'Steps between records of head statistics, such as λ; 0: never',
    {
      unit: 'steps',
    },
  ),
  sampleEvery: about(whole(0).default(defaults.sampleEvery), 'Steps between samples of text; 0: never', {
    unit: 'steps',
  }),
  checkpointEvery: about(
    whole(0).default(defaults.checkpointEvery),
    'Steps between checkpoints; 0: only at the end',
    {
      unit: 'steps',
    },
  ),
  calibrateEvery: about(
    whole(1).default(defaults.calibrateEvery),
    'Steps between recalibrations of an adaptive τ',
    {
      unit: 'steps',
    },
  ),
  checkpointActivations: about(
    z.boolean().default(defaults.checkpointActivations),
    'Compute each block again in the backward pass instead of keeping its activations: less memory, more time, same results',
  ),
} satisfies Record<keyof TrainOptions, z.ZodType>

const sample = z.strictObject({
  prompt: about(z.string().min(1).default(defaultSampleSettings.prompt), 'Text that samples continue', {
    flag: 'prompt',
  }),
  tokens: about(whole(1).default(defaultSampleSettings.tokens), 'Length of a sample', { unit: 'tokens' }),
  temperature: about(
    atLeast0.default(defaultSampleSettings.temperature),
    'Randomness of samples: lower is safer, higher is more varied, 0 always takes the likeliest token',
  ),
  topK: about(
    whole(1).nullable().default(defaultSampleSettings.topK),
    'Choose only among this many likeliest tokens',
    {
      none: 'all',
    },
  ),
})

const device = z.strictObject({
  backend: about(
    z.enum(['auto', 'cpu', 'gpu']).default('cpu'),
    'cpu: WebAssembly SIMD kernels; gpu: gpu.js kernels; auto: gpu if there is a GPU and a step is large enough for it',
  ),
  mode: about(z.enum(['webgpu', 'webasm', 'cpu']).optional(), 'How gpu.js runs its kernels', {
    otherwise: 'the first that works',
  }),
  threads: about(
    z.int().min(1).max(256).optional(),
    'Threads of the cpu backend; the results do not depend on their number',
    {
      otherwise: 'one per processor',
    },
  ),
  simd: about(
    z.enum(['auto', 'plain', 'relaxed', 'wide', 'widest']).default('widest'),
    'Build of the cpu kernels. relaxed uses fused multiply-add. wide also uses 256-bit registers and gives the same results as relaxed. auto is relaxed if the machine can run it, else plain. widest is wide if the machine can run it, else like auto',
  ),
  blas: about(
    z.string().min(1).nullable().default(null),
    'BLAS library that computes matrix products, such as OpenBLAS or Accelerate. auto finds the one of the system; or give the file or name of a library (Debian: apt install libopenblas0-pthread). Results differ from those without BLAS by rounding',
    { value: 'auto|path', none: 'WebAssembly computes all products', bare: 'auto' },
  ),
  strict: about(
    z.boolean().default(false),
    'Stop with an error instead of a fallback to something slower: fewer threads, plain SIMD, no BLAS, no GPU',
    { flag: 'strict-backend' },
  ),
})

/** Schema of the configuration of a run, as a file holds it. It knows the kinds of attention that are
 *  registered when it is made. All sections except `model` have their defaults here. The model package fills
 *  in the model from `model.preset` and `model.size`. */
export const configSchema = () =>
  z.strictObject({
    data: about(data.prefault({}), 'What to train on'),
    tokenizer: about(tokenizer.prefault({}), 'How text becomes tokens'),
    manifold: about(
      manifold.prefault({}),
      'The graph of the domain; its Laplacian gives λ, for kinds of attention that need it',
    ),
    model: about(modelSection().prefault({}), 'The network'),
    train: about(z.strictObject(trainFields).prefault({}), 'The optimisation'),
    sample: about(sample.prefault({}), 'Texts that the run generates'),
    device: about(device.prefault({}), 'Where the run computes'),
    out: about(
      z.string().min(1).default('runs/train'),
      'Folder of the run: model, metrics, report, checkpoints',
      { flag: 'out', value: 'folder' },
    ),
  })

export type Config = z.output<ReturnType<typeof configSchema>>
