import { type ManifoldOrigin, readManifold } from '@tau/graph'
import {
  createModel,
  type GPT,
  MODEL_FILES,
  type ModelConfig,
  manifoldDim,
  needsLaplacian,
  resolveConfig,
} from '@tau/model'
import type { Device } from '@tau/tensor'
import { type FolderPlace, fileExists, storeAt } from '@tau/tensor/files'
import { splitHeldOut } from '../data/text.ts'
import { type ResumePoint, resumeFrom, type TrainData } from '../loop/train.ts'
import { loadTokenizer } from '../tokenizer/file.ts'
import type { Tokenizer } from '../tokenizer/tokenizer.ts'
import { makeManifold, originOf } from './manifold.ts'
import { RUN_FILES } from './run-files.ts'
import { type RunSettings, vocabSizeOf } from './settings.ts'
import { learnTokenizer, readPrepared, readTexts, type Texts, type Tokens, tokenize } from './text.ts'

/** Everything that {@link trainRun} needs. The caller disposes the model. */
export interface PreparedRun {
  readonly model: GPT
  readonly tokenizer: Tokenizer
  readonly data: TrainData
  /** Where the Laplacian of the model came from, for manifold.json. */
  readonly origin?: ManifoldOrigin | undefined
  readonly resume?: ResumePoint
}

/** Callbacks that report the progress of the preparation. If a callback throws, the preparation ends with
 *  that error. */
export interface Stages {
  /** The checkpoint that the run continues from. */
  resumed?(point: ResumePoint): void
  text?(texts: Texts): void
  tokenizer?(tokenizer: Tokenizer, data: TrainData): void
  /** The configuration of the model, before any of its memory is allocated. */
  config?(config: ModelConfig): void | Promise<void>
  /** One sentence about the Laplacian. */
  manifold?(about: string): void
  model?(model: GPT): void
}

/** Makes the tokens, manifold and model of a new run. If `text` is given, it replaces `settings.data`. */
export async function prepareRun(
  device: Device,
  settings: RunSettings,
  { text, stages = {} }: { text?: string | undefined; stages?: Stages } = {},
): Promise<PreparedRun> {
  const { texts, tokenizer, data } = await tokensOf(settings, text, stages)
  const config = resolveConfig({ ...settings.model, vocabSize: tokenizer.vocabSize })
  const { model, origin } = await prepareModel(device, settings, config, { text: texts?.train, stages })
  return { tokenizer, data, model, origin }
}

/** Makes a new model. Its manifold comes from the settings, or else from `text`. */
export async function prepareModel(
  device: Device,
  settings: Pick<RunSettings, 'manifold' | 'train'>,
  config: ModelConfig,
  { text, stages = {} }: { text?: string | undefined; stages?: Stages } = {},
): Promise<{ model: GPT; origin: ManifoldOrigin | undefined }> {
  await stages.config?.(config)
  const manifold = needsLaplacian(config) ? await manifoldOf(device, settings, config, text) : undefined
  if (manifold) stages.manifold?.(manifold.about)
  const laplacian = manifold?.laplacian
  const model = createModel(device, config, { ...(laplacian && { laplacian }), seed: settings.train.seed })
  stages.model?.(model)
  return { model, origin: manifold?.origin }
}

function manifoldOf(
  device: Device,
  { manifold }: Pick<RunSettings, 'manifold'>,
  config: ModelConfig,
  text: string | undefined,
) {
  const textOf = () => {
    if (text === undefined)
      throw new Error(
        'prepareRun: a text is needed to build the manifold, got prepared tokens only; set manifold.path or manifold.embeddings',
      )
    return text
  }
  const work = device.info.backend === 'cpu' ? { device } : {}
  return makeManifold(manifold, manifoldDim(config), textOf, work)
}

async function tokensOf(
  settings: RunSettings,
  text: string | undefined,
  stages: Stages,
): Promise<Tokens & { texts: Texts | undefined }> {
  const {
    data,
    tokenizer: { path },
  } = settings
  if (text === undefined && data.shards !== undefined) {
    const prepared = await readPrepared(data.shards)
    stages.tokenizer?.(prepared.tokenizer, prepared.data)
    return { texts: undefined, ...prepared }
  }
  const texts =
    text === undefined ? await readTexts(data.files, data.heldOut) : splitHeldOut(text, data.heldOut)
  stages.text?.(texts)
  const tokenizer =
    path === undefined ? learnTokenizer(vocabSizeOf(settings), texts) : await loadTokenizer(path)
  const ids = tokenize(texts, tokenizer)
  stages.tokenizer?.(tokenizer, ids)
  return { texts, tokenizer, data: ids }
}

/** Loads the last checkpoint of the run in a folder, and the data that it was trained on. */
export async function prepareResume(
  device: Device,
  folder: FolderPlace,
  settings: RunSettings,
  stages: Stages = {},
): Promise<PreparedRun> {
  const store = storeAt(folder)
  const checkpoints = store.folder(RUN_FILES.checkpoints)
  const resume = await resumeFrom(device, checkpoints)
  if (resume === undefined)
    throw new Error(
      `resume: ${checkpoints.path} must hold a checkpoint, got none; start a new run with --overwrite`,
    )
  const { model } = resume
  try {
    stages.resumed?.(resume)
    await stages.config?.(model.config)
    const origin =
      model.laplacian && (await fileExists({ store, name: MODEL_FILES.about }))
        ? originOf(await readManifold(store))
        : undefined
    const { tokenizer, data } = await tokensAgain(settings, store)
    stages.tokenizer?.(tokenizer, data)
    stages.model?.(model)
    return { resume, model, origin, tokenizer, data }
  } catch (error) {
    model[Symbol.dispose]()
    throw error
  }
}

async function tokensAgain({ data }: RunSettings, folder: FolderPlace): Promise<Tokens> {
  if (data.shards !== undefined) return readPrepared(data.shards)
  const tokenizer = await loadTokenizer({ store: storeAt(folder), name: RUN_FILES.tokenizer })
  return { tokenizer, data: tokenize(await readTexts(data.files, data.heldOut), tokenizer) }
}
