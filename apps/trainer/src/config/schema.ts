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

/** What --help and error messages say of a field, besides its type and range. */
interface About {
  readonly unit?: string
  /** Short flag besides `--section.key`. */
  readonly flag?: string
  /** What to call the value in help, if not `text`. */
  readonly value?: string
  /** What `null` (`none` on the command line) means. */
  readonly none?: string
  /** What the flag alone, without a value, stands for. */
  readonly bare?: string
  /** Where the default comes from when the schema has none. */
  readonly otherwise?: string
}

const about = <T extends z.ZodType>(schema: T, description: string, more: About = {}): T =>
  schema.meta({ description, ...more })

const whole = (min: number) => z.int().min(min)
const above0 = z.number().positive()
const atLeast0 = z.number().min(0)

const data = z.strictObject({
  files: about(z.array(z.string().min(1)).default([]), 'Text files to train on, in this order, UTF-8', {
    flag: 'data',
  }),
  heldOut: about(
    z.number().gt(0).lt(1).default(defaultDataSettings.heldOut),
    'Tail of the text that is kept for validation',
    {
      unit: 'share',
    },
  ),
  shards: about(z.string().min(1).optional(), 'Folder that tau prepare wrote, instead of files', {
    value: 'folder',
  }),
})

const tokenizer = z.strictObject({
  path: about(z.string().min(1).optional(), 'tokenizer.json to use instead of training one', {
    flag: 'tokenizer',
    value: 'file',
  }),
  vocabSize: about(
    z
      .int()
      .min(257)
      .max(2 ** 24)
      .optional(),
    'Tokens to learn: 256 bytes, one special token, merges',
    {
      flag: 'vocab-size',
      unit: 'tokens',
      otherwise: "the size's",
    },
  ),
})

const manifold = z.strictObject({
  path: about(
    z.string().min(1).optional(),
    'Manifold folder or .parquet file to use instead of building one',
    {
      flag: 'manifold',
      value: 'path',
    },
  ),
  embeddings: about(
    z.string().min(1).optional(),
    'Embeddings file to build it from: .npy, .jsonl, .parquet, .safetensors; word vectors: .txt, .vec, .json',
    {
      flag: 'embeddings',
      value: 'file',
      otherwise: 'embeddings of the training text',
    },
  ),
  embeddingsName: about(z.string().min(1).optional(), 'Field, column or tensor of that file', {
    otherwise: 'the only one',
  }),
  width: about(whole(2).optional(), 'Width of the embeddings made from the training text', {
    otherwise: '128, or as much as the text gives',
  }),
  passageTokens: about(
    whole(2).default(defaultManifoldSettings.passageTokens),
    'Passage of the text that gets one embedding',
    {
      unit: 'words',
    },
  ),
  weighting: about(
    z.enum(['tf-idf', 'ppmi']).default(defaultManifoldSettings.weighting),
    'How words weigh in a passage',
  ),
  k: about(whole(1).optional(), 'Nearest neighbours per feature', {
    otherwise: 'a quarter of the features, at most 15',
  }),
  sigma: about(above0.optional(), 'Distance at which a weight is 1/2', {
    otherwise: 'median neighbour distance',
  }),
  p: about(above0.default(defaultManifoldSettings.p), 'Exponent of the weights 1 / (1 + (d/σ)^p)'),
  eps: about(above0.nullable().default(defaultManifoldSettings.eps), 'Largest distance of a neighbour', {
    none: 'no limit',
  }),
  metric: about(
    z.enum(['cosine', 'euclidean']).default(defaultManifoldSettings.metric),
    'Distance between features',
  ),
  kernel: about(
    z.enum(['rational', 'gaussian']).default(defaultManifoldSettings.kernel),
    'Weight of a distance',
  ),
  normalization: about(
    z.enum(['none', 'symmetric']).default(defaultManifoldSettings.normalization),
    'Laplacian D − W, or symmetrically normalised',
  ),
  sparsify: about(
    z.boolean().default(defaultManifoldSettings.sparsify),
    'Keep the stronger half of long neighbour lists',
  ),
  reduce: about(
    z.enum(['random', 'pca', 'rotated-pca', 'none']).default(defaultManifoldSettings.reduce),
    'How embeddings become head-sized',
  ),
  center: about(z.boolean().default(defaultManifoldSettings.center), 'Subtract the mean embedding first'),
  sample: about(
    z.number().gt(0).max(1).default(defaultManifoldSettings.sample),
    'Embeddings that count, chosen at random; 1: all',
    {
      unit: 'share',
    },
  ),
  clusters: about(
    whole(2).nullable().default(defaultManifoldSettings.clusters),
    'Centres of that many k-means clusters take the place of the embeddings',
    { none: 'the embeddings themselves' },
  ),
  tau: about(
    z.enum(['median', 'mean']).default(defaultManifoldSettings.tau),
    'τ for the manifold: of the embeddings’ energies',
  ),
  memory: about(
    whole(32).default(defaultManifoldSettings.memory),
    'Memory for reading an embeddings file, which may be larger',
    {
      unit: 'MiB',
    },
  ),
  seed: about(whole(0).default(defaultManifoldSettings.seed), 'Of random directions and choices'),
})

const defaults = defaultTrainOptions
const trainFields = {
  steps: about(whole(1).default(defaults.steps), 'Optimizer steps'),
  batchSize: about(whole(1).default(defaults.batchSize), 'Sequences per forward pass'),
  accumulate: about(whole(1).default(defaults.accumulate), 'Forward passes per step'),
  optimizer: about(z.enum(optimizerNames).default(defaults.optimizer.name), optimizerHelp),
  lr: about(above0.default(defaults.lr), 'Peak learning rate'),
  minLr: about(atLeast0.default(defaults.minLr), 'Learning rate at the end of the cosine'),
  warmup: about(whole(0).default(defaults.warmup), 'Linear warm-up', { unit: 'steps' }),
  weightDecay: about(atLeast0.default(defaults.weightDecay), 'Decoupled weight decay'),
  ...optimizerFields,
  gradClip: about(above0.nullable().default(defaults.gradClip), 'Largest norm of all gradients', {
    none: 'no clipping',
  }),
  seed: about(whole(0).default(defaults.seed), 'Of initial parameters, data order and samples', {
    flag: 'seed',
  }),
  evalEvery: about(whole(0).default(defaults.evalEvery), 'Validation; 0: only at the end', { unit: 'steps' }),
  evalTokens: about(whole(1).nullable().default(defaults.evalTokens), 'Held-out tokens per validation', {
    none: 'all',
  }),
  headsEvery: about(whole(0).default(defaults.headsEvery), 'Statistics of λ and heads; 0: never', {
    unit: 'steps',
  }),
  sampleEvery: about(whole(0).default(defaults.sampleEvery), 'Samples of text; 0: never', { unit: 'steps' }),
  checkpointEvery: about(whole(0).default(defaults.checkpointEvery), 'Checkpoints; 0: only at the end', {
    unit: 'steps',
  }),
  calibrateEvery: about(whole(1).default(defaults.calibrateEvery), 'Recalibration of adaptive τ', {
    unit: 'steps',
  }),
  checkpointActivations: about(
    z.boolean().default(defaults.checkpointActivations),
    'Run blocks twice instead of keeping what they make: less memory, same numbers',
  ),
} satisfies Record<keyof TrainOptions, z.ZodType>

const sample = z.strictObject({
  prompt: about(z.string().min(1).default(defaultSampleSettings.prompt), 'Text that samples continue', {
    flag: 'prompt',
  }),
  tokens: about(whole(1).default(defaultSampleSettings.tokens), 'Length of a sample', { unit: 'tokens' }),
  temperature: about(
    atLeast0.default(defaultSampleSettings.temperature),
    'Below 1 safer, above 1 wilder, 0: always the likeliest token',
  ),
  topK: about(whole(1).nullable().default(defaultSampleSettings.topK), 'Only the likeliest tokens', {
    none: 'all',
  }),
})

const device = z.strictObject({
  backend: about(
    z.enum(['auto', 'cpu', 'gpu']).default('cpu'),
    'WebAssembly SIMD kernels, or gpu.js kernels; auto is gpu where there is a GPU and work enough for it',
  ),
  mode: about(z.enum(['webgpu', 'webasm', 'cpu']).optional(), 'How gpu.js runs its kernels', {
    otherwise: 'the first that works',
  }),
  threads: about(
    z.int().min(1).max(256).optional(),
    'Threads of the cpu backend; results do not depend on it',
    {
      otherwise: 'all the machine has',
    },
  ),
  simd: about(
    z.enum(['auto', 'plain', 'relaxed', 'wide', 'widest']).default('widest'),
    'Build of the cpu kernels: relaxed uses fused multiply-add, wide 256-bit registers too, with the same results; auto is relaxed where it can be, widest is wide where it can be',
  ),
  blas: about(
    z.string().min(1).nullable().default(null),
    "Matrix products by the system's BLAS, OpenBLAS or Accelerate, on the same memory: auto finds one, else the file or name of the library (Debian: apt install libopenblas0-pthread); results differ by rounding from those without",
    { value: 'auto|path', none: 'WebAssembly does all products', bare: 'auto' },
  ),
  strict: about(
    z.boolean().default(false),
    'Stop instead of falling back to something slower: fewer threads, plain SIMD, no BLAS, no GPU',
    { flag: 'strict-backend' },
  ),
})

/** The configuration of a run, as a file holds it, with the kinds of attention that are registered now. Everything but `model` has its defaults here; the model package fills in the rest
 *  from `model.preset` and `model.size`. */
export const configSchema = () =>
  z.strictObject({
    data: about(data.prefault({}), 'What to train on'),
    tokenizer: about(tokenizer.prefault({}), 'How text becomes tokens'),
    manifold: about(
      manifold.prefault({}),
      'The domain graph whose Laplacian λ is measured with, for kinds of attention that need one',
    ),
    model: about(modelSection().prefault({}), 'The network'),
    train: about(z.strictObject(trainFields).prefault({}), 'The optimisation'),
    sample: about(sample.prefault({}), 'Texts written on the way'),
    device: about(device.prefault({}), 'Where it runs'),
    out: about(
      z.string().min(1).default('runs/train'),
      'Folder of the run: model, metrics, report, checkpoints',
      { flag: 'out', value: 'folder' },
    ),
  })

export type Config = z.output<ReturnType<typeof configSchema>>
