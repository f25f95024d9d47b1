import { join } from 'node:path'
import { type ModelConfig, manifoldDim, resolveConfig } from '@tau/model'
import type { Device } from '@tau/tensor'
import { loadTokenizer, resumeFrom, type Tokenizer, type TrainData } from '@tau/train'
import { Command } from 'commander'
import { buildConfig } from '../config/config.ts'
import { UsageError } from '../config/errors.ts'
import { readConfigFile } from '../config/file.ts'
import { configYaml } from '../config/print.ts'
import type { Config } from '../config/schema.ts'
import { userPath } from '../paths.ts'
import { makeTokenizer, readPrepared, readTexts, type Texts, tokenize } from '../run/corpus.ts'
import { deviceText, openDevice } from '../run/device.ts'
import { exists, openRunFolder, RUN_FILES } from '../run/folder.ts'
import { EXIT, type Io, print, say } from '../run/io.ts'
import { makeManifold } from '../run/manifold.ts'
import { freshModel, runTraining, type Training } from '../run/training.ts'
import type { Action } from './action.ts'
import { addConfigFlags, configOf, flagValues } from './options.ts'

interface TrainFlags {
  readonly config?: string
  readonly resume?: boolean
  readonly overwrite?: boolean
  readonly printConfig?: boolean
}

export function trainCommand(action: Action): Command {
  const command = new Command('train')
    .description('Train a model on text: tokenizer and manifold are built from it unless given')
    .option('--config <file>', 'YAML or JSON file of the settings below; flags override it')
    .option('--resume', 'continue the run in --out from its last checkpoint, with its settings')
    .option('--overwrite', 'replace the run in --out')
    .option('--print-config', 'print the complete configuration as YAML and stop')
  addConfigFlags(command, ['data', 'tokenizer', 'manifold', 'model', 'train', 'sample', 'device', ''])
  return command.action(action((io) => trainAction(command, io)))
}

async function trainAction(command: Command, io: Io): Promise<number> {
  const flags: TrainFlags = command.opts()
  const config = flags.resume ? await resumedConfig(command) : await configOf(command, flags.config)
  if (flags.printConfig) {
    print(io, configYaml(config).trimEnd())
    return EXIT.ok
  }
  const out = userPath(config.out)
  if (!flags.resume) {
    checkData(config)
    await openRunFolder(out, flags.overwrite ?? false)
  }
  const device = await openDevice(config.device)
  try {
    say(io, `device: ${deviceText(device.info)}`)
    const training = flags.resume
      ? await resumedTraining(device, config, out, io)
      : await freshTraining(device, config, out, io)
    return await finish(training, io)
  } finally {
    await device.close()
  }
}

/** Trains, says how it ended, and gives the exit code. */
async function finish(training: Training, io: Io): Promise<number> {
  const { config, model, data, out } = training
  const kind = { tau: 'TauGPT', dot: 'GPT (dot-product attention)' }[model.config.attention]
  say(
    io,
    `model: ${kind}, ${config.model.preset} preset, ${model.parameterCount.toLocaleString('en')} parameters`,
  )
  say(
    io,
    `tokens: ${data.train.length.toLocaleString('en')} to train on, ${data.val.length.toLocaleString('en')} held out`,
  )
  const result = await runTraining(training, io)
  print(
    io,
    `step ${result.step}: validation loss ${result.valLoss.toFixed(4)} nats per token, ${result.valBpb.toFixed(4)} bits per byte`,
  )
  say(io, `model: ${out}`)
  if (result.reason !== 'interrupted') return EXIT.ok
  say(io, `interrupted at step ${result.step}, saved; go on with: tau train --resume --out ${config.out}`)
  return EXIT.interrupted
}

function checkData({ data, manifold, model }: Config): void {
  if (data.files.length > 0 && data.shards !== undefined)
    throw new UsageError(
      `data: there must be files or shards, got both (${data.files[0]}, ${data.shards}); leave one out`,
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

async function freshTraining(device: Device, config: Config, out: string, io: Io): Promise<Training> {
  const { texts, tokenizer, data } = await corpusOf(config, io)
  const modelConfig = resolveConfig({ ...config.model, vocabSize: tokenizer.vocabSize })
  const manifold = await manifoldOf(config, modelConfig, texts, io)
  const model = freshModel(device, config, tokenizer.vocabSize, manifold?.laplacian)
  return { config, out, tokenizer, data, model, origin: manifold?.origin }
}

interface Corpus {
  readonly texts: Texts | undefined
  readonly tokenizer: Tokenizer
  readonly data: TrainData
}

async function corpusOf(config: Config, io: Io): Promise<Corpus> {
  if (config.data.shards !== undefined)
    return { texts: undefined, ...(await readPrepared(config.data.shards)) }
  const texts = await readTexts(config.data)
  const vocabSize = config.tokenizer.vocabSize ?? resolveConfig(config.model).vocabSize
  const tokenizer = await makeTokenizer(config.tokenizer.path, vocabSize, texts)
  say(
    io,
    `tokenizer: ${tokenizer.vocabSize} tokens${config.tokenizer.path === undefined ? ', trained on the text' : ''}`,
  )
  return { texts, tokenizer, data: tokenize(texts, tokenizer) }
}

async function manifoldOf(config: Config, model: ModelConfig, texts: Texts | undefined, io: Io) {
  if (model.attention !== 'tau') return undefined
  const manifold = await makeManifold(config.manifold, manifoldDim(model), () => {
    if (texts === undefined) throw new Error('internal: a manifold from the text needs the text')
    return texts.train
  })
  say(io, `manifold: ${manifold.about}`)
  return manifold
}

/** The settings of the run in --out; flags may change those that a run can change on the way. */
async function resumedConfig(command: Command): Promise<Config> {
  const { out } = await configOf(command)
  const path = join(userPath(out), RUN_FILES.config)
  if (!(await exists(path)))
    throw new UsageError(
      `resume: ${out} must hold a run, got no ${RUN_FILES.config}; pass its folder as --out`,
    )
  const flags = flagValues(command)
  const fixed = flags.find(
    ({ path }) => !/^(train\.(?!seed|batchSize|accumulate)|sample\.|device\.|out$|data\.files)/.test(path),
  )
  if (fixed !== undefined)
    throw new UsageError(
      `resume: ${fixed.flag} must stay what the run began with, got ${fixed.text}; start a new run with another --out`,
    )
  return buildConfig(await readConfigFile(path), flags)
}

async function resumedTraining(device: Device, config: Config, out: string, io: Io): Promise<Training> {
  const checkpoints = join(out, RUN_FILES.checkpoints)
  const resume = await resumeFrom(device, checkpoints)
  if (resume === undefined)
    throw new Error(`resume: ${checkpoints} must hold a checkpoint, got none; start again with --overwrite`)
  say(io, `resuming at step ${resume.state.step} of ${config.train.steps}`)
  if (config.data.shards !== undefined)
    return { config, out, resume, model: resume.model, ...(await readPrepared(config.data.shards)) }
  const tokenizer = await loadTokenizer(join(out, RUN_FILES.tokenizer))
  return {
    config,
    out,
    resume,
    model: resume.model,
    tokenizer,
    data: tokenize(await readTexts(config.data), tokenizer),
  }
}
