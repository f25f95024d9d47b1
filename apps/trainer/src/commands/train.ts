import { join } from 'node:path'
import { mobyDick } from '@tau/demo'
import { attentionKind, type GPT, resolveConfig } from '@tau/model'
import type { Device } from '@tau/tensor'
import { fileExists } from '@tau/tensor/files'
import {
  PROFILED_STEPS,
  type PreparedRun,
  prepareModel,
  prepareResume,
  prepareRun,
  RUN_FILES,
  type Stages,
  trainingFlops,
  vocabSizeOf,
  WARM_UP_STEPS,
} from '@tau/train'
import type { Command } from 'commander'
import { buildConfig, runSettingsOf } from '../config/config.ts'
import { UsageError } from '../config/errors.ts'
import { readRunFile } from '../config/file.ts'
import { configYaml } from '../config/print.ts'
import type { Config } from '../config/schema.ts'
import { EXIT, type Io, print, say } from '../io.ts'
import { userPath } from '../paths.ts'
import { Devices, deviceText, openDevice } from '../run/device.ts'
import { openRunFolder } from '../run/folder.ts'
import { absolutePaths, checkData } from '../run/inputs.ts'
import { checkMemory } from '../run/memory.ts'
import { checkProfiled, profileRun, TRACE_FILE } from '../run/profile.ts'
import { runTraining } from '../run/training.ts'
import type { Define } from './define.ts'
import { addConfigFlags, configOf, flagValues } from './options.ts'

interface TrainFlags {
  readonly config?: string
  readonly resume?: boolean
  readonly overwrite?: boolean
  readonly printConfig?: boolean
  /** A file, or true if none is named. */
  readonly profile?: string | true
}

export const define: Define = (command, action) => {
  command
    .option('--config <file>', 'YAML or JSON file with the settings below; flags override it')
    .option('--resume', 'continue the run in --out from its last checkpoint, with its settings')
    .option('--overwrite', 'replace the run in --out')
    .option('--print-config', 'print the complete configuration as YAML, with comments, and stop')
    .option(
      '--profile [file]',
      `do not train, but measure the time of every kernel in one training step. Prints a table, and writes a trace to the file (default ${TRACE_FILE}). Open the trace at ui.perfetto.dev or in the performance panel of a browser. Runs ${PROFILED_STEPS} steps and takes the one with the median time, after ${WARM_UP_STEPS} warm-up steps. Does not change --out or the model. Without --data the tokens are random`,
    )
  addConfigFlags(command, ['data', 'tokenizer', 'manifold', 'model', 'train', 'sample', 'device', ''])
  command.action(action((io) => trainAction(command, io)))
}

async function trainAction(command: Command, io: Io): Promise<number> {
  const flags: TrainFlags = command.opts()
  const given = flags.resume ? await resumedConfig(command) : await configOf(command, flags.config)
  if (flags.printConfig) {
    print(io, configYaml(given).trimEnd())
    return EXIT.ok
  }
  const config = absolutePaths(given)
  if (flags.profile !== undefined) return profileAction(config, flags, io)
  checkData(config)
  if (!flags.resume) await openRunFolder(config.out, flags.overwrite ?? false)
  const devices = new Devices(config.device, trainingFlops(runSettingsOf(config)))
  try {
    const device = await devices.open()
    say(io, `device: ${deviceText(device.info)}`)
    const run = await prepare(device, config, flags.resume ?? false, io)
    const { result } = await runTraining(run, config, () => devices.open(), io)
    print(
      io,
      `step ${result.step}: validation loss ${result.valLoss.toFixed(4)} nats per token, ${result.valBpb.toFixed(4)} bits per byte`,
    )
    say(io, `model: ${config.out}`)
    if (result.reason !== 'interrupted') return EXIT.ok
    say(
      io,
      `interrupted at step ${result.step} and saved; continue with: npm run tau -- train --resume --out ${given.out}`,
    )
    return EXIT.interrupted
  } finally {
    await devices.close()
  }
}

/** Profiles one step of the model that the run would train. With --resume it is the model of the last
 *  checkpoint. Writes the trace and nothing else. */
async function profileAction(
  config: Config,
  { profile, resume = false }: TrainFlags,
  io: Io,
): Promise<number> {
  checkProfiled(config)
  const { files, shards } = config.data
  const isRandom = files.length === 0 && shards === undefined
  if (!isRandom) checkData(config)
  const device = await openDevice(config.device, trainingFlops(runSettingsOf(config)))
  try {
    say(io, `device: ${deviceText(device.info)}`)
    if (isRandom) say(io, 'tokens: random, because no --data is given')
    const { model, data } = isRandom
      ? { model: await modelWithoutText(device, config, io), data: undefined }
      : await prepare(device, config, resume, io)
    const path = userPath(profile === true || profile === undefined ? TRACE_FILE : profile)
    print(io, await profileRun(model, data?.train, config, path))
    say(io, `trace: ${path} (open it at ui.perfetto.dev or in a browser's performance panel)`)
    return EXIT.ok
  } finally {
    await device.close()
  }
}

const prepare = (device: Device, config: Config, isResumed: boolean, io: Io): Promise<PreparedRun> => {
  const settings = runSettingsOf(config)
  const stages = tellStages(config, isResumed, io)
  return isResumed
    ? prepareResume(device, config.out, settings, stages)
    : prepareRun(device, settings, { stages })
}

/** Makes a new model without a text. Its manifold is the one that the configuration names, or else that of
 *  Moby-Dick. */
async function modelWithoutText(device: Device, config: Config, io: Io): Promise<GPT> {
  const settings = runSettingsOf(config)
  const model = resolveConfig({ ...config.model, vocabSize: vocabSizeOf(settings) })
  const options = { text: await mobyDick(), stages: tellStages(config, false, io) }
  return (await prepareModel(device, settings, model, options)).model
}

const tellStages = (config: Config, isResumed: boolean, io: Io): Stages => ({
  resumed: ({ state: { step } }) => {
    const { steps } = config.train
    if (step > steps)
      throw new UsageError(
        `resume: train.steps must be at least ${step}, the steps that are done, got ${steps}; raise --steps`,
      )
    say(io, `resuming at step ${step} of ${steps}`)
  },
  config: (model) => checkMemory(config, model),
  tokenizer: ({ vocabSize }, { train, val }) => {
    const how = config.tokenizer.path === undefined && !isResumed ? 'trained on the text' : 'read'
    say(io, `tokenizer: ${vocabSize} tokens, ${how}`)
    say(
      io,
      `tokens: ${train.length.toLocaleString('en')} to train on, ${val.length.toLocaleString('en')} held out`,
    )
  },
  manifold: (about) => say(io, `manifold: ${about}`),
  model: (model) => say(io, `model: ${modelText(model, config)}`),
})

export function modelText({ config, parameterCount }: GPT, { model: { preset } }: Config): string {
  const kind = attentionKind(config.attention)
  return `${kind.architecture} with ${kind.about}, ${preset} preset, ${parameterCount.toLocaleString('en')} parameters`
}

/** Settings that may change when a run is resumed: its length, its records, its learning rates, its device.
 *  The others must stay. */
const CHANGEABLE =
  /^(train\.(steps|\w+Every|evalTokens|lr|minLr|gradClip|checkpointActivations)|sample\..*|device\..*|data\.files|out)$/

/** The settings of the run in --out, changed by the flags that may change. */
async function resumedConfig(command: Command): Promise<Config> {
  const { out } = await configOf(command)
  const path = join(userPath(out), RUN_FILES.config)
  if (!(await fileExists(path)))
    throw new UsageError(
      `resume: ${out} must hold a run, got no ${RUN_FILES.config}; pass its folder as --out`,
    )
  const flags = flagValues(command)
  const fixed = flags.find((flag) => !CHANGEABLE.test(flag.path))
  if (fixed !== undefined)
    throw new UsageError(
      `resume: ${fixed.flag} must stay as the run began, got ${fixed.text}; leave it out, or start a new run with another --out`,
    )
  return buildConfig(await readRunFile(path), [
    ...flags.filter((flag) => flag.path !== 'out'),
    { path: 'out', flag: '--out', text: out },
  ])
}
