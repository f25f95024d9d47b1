import { join } from 'node:path'
import { readManifold } from '@tau/graph'
import { type GPT, type ModelConfig, manifoldDim, resolveConfig } from '@tau/model'
import type { Device } from '@tau/tensor'
import { loadTokenizer, resumeFrom, type Tokenizer, type TrainData } from '@tau/train'
import { UsageError } from '../config/errors.ts'
import type { Config } from '../config/schema.ts'
import { mobyDick } from '../demo/moby-dick.ts'
import { userPath } from '../paths.ts'
import { makeTokenizer, readPrepared, readTexts, type Texts } from './corpus.ts'
import { exists, RUN_FILES } from './folder.ts'
import { makeManifold, originOf } from './manifold.ts'
import { checkMemory } from './memory.ts'
import { tokenize } from './tokens.ts'
import { freshModel, type Training } from './training.ts'

/** Where the preparation of a run stands, for whoever tells the user. */
export interface Stages {
  text?(texts: Texts): void
  tokenizer?(tokenizer: Tokenizer, data: TrainData): void
  manifold?(about: string): void
  model?(model: GPT): void
}

/** The configuration with absolute paths, so that run.yaml means the same from everywhere. */
export function absolutePaths(config: Config): Config {
  const { data, tokenizer, manifold, device } = config
  const absolute = <K extends string>(key: K, path: string | undefined) =>
    path === undefined ? {} : { [key]: userPath(path) }
  return {
    ...config,
    data: { ...data, files: data.files.map(userPath), ...absolute('shards', data.shards) },
    tokenizer: { ...tokenizer, ...absolute('path', tokenizer.path) },
    manifold: {
      ...manifold,
      ...absolute('path', manifold.path),
      ...absolute('embeddings', manifold.embeddings),
    },
    device: { ...device, blas: libraryPath(device.blas) },
    out: userPath(config.out),
  }
}

/** A library with a slash in it is a file; any other name is the system loader's to find. */
const libraryPath = (blas: string | null): string | null => (blas?.includes('/') ? userPath(blas) : blas)

/** What can be known to be missing before anything is read or written. */
export function checkData({ data, manifold, model }: Config): void {
  if (data.files.length > 0 && data.shards !== undefined)
    throw new UsageError(
      `data: there must be files or shards, got both (${data.files[0]}, ${data.shards}); leave one out`,
    )
  if (data.files.length === 0 && data.shards === undefined)
    throw new UsageError(
      'data: there must be a text to read, got no files; pass --data FILE… or set data.files',
    )
  const needsText =
    resolveConfig(model).attention === 'tau' &&
    manifold.path === undefined &&
    manifold.embeddings === undefined
  if (data.shards !== undefined && needsText)
    throw new UsageError(
      `data: shards hold no text to build a manifold from, got ${data.shards} alone; pass --manifold or --embeddings`,
    )
}

/** Text, tokenizer, manifold and model of a new run. */
export async function freshTraining(device: Device, config: Config, stages: Stages): Promise<Training> {
  const { texts, tokenizer, data } = await corpusOf(config, stages)
  const modelConfig = resolveConfig({ ...config.model, vocabSize: tokenizer.vocabSize })
  await checkMemory(config, modelConfig)
  const manifold = await manifoldOf(device, config, modelConfig, texts?.train, stages)
  const model = freshModel(device, config, tokenizer.vocabSize, manifold?.laplacian)
  stages.model?.(model)
  return { config, out: config.out, tokenizer, data, model, origin: manifold?.origin }
}

/** A new model without a corpus, over the manifold that is named or else that of Moby-Dick: for what does not depend on the text. */
export async function modelWithoutText(device: Device, config: Config, stages: Stages): Promise<GPT> {
  const vocabSize = config.tokenizer.vocabSize ?? resolveConfig(config.model).vocabSize
  const modelConfig = resolveConfig({ ...config.model, vocabSize })
  await checkMemory(config, modelConfig)
  const manifold = await manifoldOf(device, config, modelConfig, await mobyDick(), stages)
  const model = freshModel(device, config, vocabSize, manifold?.laplacian)
  stages.model?.(model)
  return model
}

interface Corpus {
  readonly texts: Texts | undefined
  readonly tokenizer: Tokenizer
  readonly data: TrainData
}

async function corpusOf(config: Config, stages: Stages): Promise<Corpus> {
  if (config.data.shards !== undefined) {
    const prepared = await readPrepared(config.data.shards)
    stages.tokenizer?.(prepared.tokenizer, prepared.data)
    return { texts: undefined, ...prepared }
  }
  const texts = await readTexts(config.data)
  stages.text?.(texts)
  const vocabSize = config.tokenizer.vocabSize ?? resolveConfig(config.model).vocabSize
  const tokenizer = await makeTokenizer(config.tokenizer.path, vocabSize, texts)
  const data = tokenize(texts, tokenizer)
  stages.tokenizer?.(tokenizer, data)
  return { texts, tokenizer, data }
}

async function manifoldOf(
  device: Device,
  config: Config,
  model: ModelConfig,
  text: string | undefined,
  stages: Stages,
) {
  if (model.attention !== 'tau') return undefined
  const textOf = () => {
    if (text === undefined) throw new Error('internal: a manifold from the text needs the text')
    return text
  }
  const work = device.info.backend === 'cpu' ? { device } : {}
  const manifold = await makeManifold(config.manifold, manifoldDim(model), textOf, work)
  stages.manifold?.(manifold.about)
  return manifold
}

/** The last checkpoint of the run in `config.out`, with the data that it was trained on. */
export async function resumedTraining(device: Device, config: Config, stages: Stages): Promise<Training> {
  const { out } = config
  const checkpoints = join(out, RUN_FILES.checkpoints)
  const resume = await resumeFrom(device, checkpoints)
  if (resume === undefined)
    throw new Error(`resume: ${checkpoints} must hold a checkpoint, got none; start again with --overwrite`)
  const { model, state } = resume
  await checkMemory(config, model.config)
  if (state.step > config.train.steps)
    throw new UsageError(
      `resume: train.steps must be at least the ${state.step} that are done, got ${config.train.steps}; raise --steps`,
    )
  const origin =
    model.laplacian && (await exists(join(out, 'manifold.json')))
      ? originOf(await readManifold(out))
      : undefined
  const common = { config, out, resume, model, origin }
  if (config.data.shards !== undefined) return { ...common, ...(await readPrepared(config.data.shards)) }
  const tokenizer = await loadTokenizer(join(out, RUN_FILES.tokenizer))
  const data = tokenize(await readTexts(config.data), tokenizer)
  stages.tokenizer?.(tokenizer, data)
  stages.model?.(model)
  return { ...common, tokenizer, data }
}
