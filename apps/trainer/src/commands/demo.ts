import { join, relative } from 'node:path'
import { demoOptions, mobyDick } from '@tau/demo'
import { attentionKinds } from '@tau/model'
import { duration } from '@tau/report'
import { writeFileAtomic } from '@tau/tensor/files'
import {
  type PreparedRun,
  prepareRun,
  type Stages,
  sampleText,
  type TrainResult,
  trainingFlops,
} from '@tau/train'
import type { Command } from 'commander'
import { buildConfig, type FlagValue, runSettingsOf } from '../config/config.ts'
import type { Config } from '../config/schema.ts'
import { EXIT, type Io, print, say } from '../io.ts'
import { userPath } from '../paths.ts'
import { Devices, deviceText } from '../run/device.ts'
import { freeFolder, openRunFolder } from '../run/folder.ts'
import { absolutePaths } from '../run/inputs.ts'
import { checkMemory } from '../run/memory.ts'
import { runTraining } from '../run/training.ts'
import type { Define } from './define.ts'
import { addConfigFlags, flagValues } from './options.ts'
import { modelText } from './train.ts'

const CORPUS = 'corpus.txt'
const SHOWN = [
  'data.files',
  'model.attention',
  'model.preset',
  'train.steps',
  'train.seed',
  'device.backend',
  'device.threads',
  'out',
]

export const define: Define = (command, action) => {
  command.option('--overwrite', 'replace the run in --out')
  addConfigFlags(command, ['data', 'tokenizer', 'manifold', 'model', 'train', 'sample', 'device', ''], {
    shown: SHOWN,
    defaults: new Map([
      ['data.files', 'Moby-Dick'],
      ['train.steps', String(demoConfig([]).train.steps)],
      ['out', demoConfig([]).out],
    ]),
  })
  command.action(action((io) => demoAction(command, io)))
}

const demoConfig = (flags: readonly FlagValue[]): Config =>
  buildConfig({ values: { ...demoOptions, out: 'runs/demo' }, where: () => 'demo' }, flags)

async function demoAction(command: Command, io: Io): Promise<number> {
  const { overwrite = false }: { overwrite?: boolean } = command.opts()
  const flags = flagValues(command)
  const given = await placed(demoConfig(flags), flags, io)
  const out = userPath(given.out)
  await openRunFolder(out, overwrite)
  const config = absolutePaths(given.data.files.length > 0 ? given : await withMobyDick(given, out))
  const started = performance.now()
  const settings = runSettingsOf(config)
  const devices = new Devices(config.device, trainingFlops(settings))
  try {
    const device = await devices.open()
    say(io, `Running on ${deviceText(device.info)}.`)
    const run = await prepareRun(device, settings, { stages: narrate(config, io) })
    const steps = config.train.steps
    say(
      io,
      `\n4. Training: ${steps} steps of ${config.train.batchSize} × ${run.model.config.seqLen} tokens. Ctrl-C stops and saves.`,
    )
    const { result, model } = await runTraining(run, config, () => devices.open(), io)
    await conclude({ ...run, model }, { result, config, started }, io)
    return result.reason === 'interrupted' ? EXIT.interrupted : EXIT.ok
  } finally {
    await devices.close()
  }
}

/** If the user names no folder, the demo takes the first free one, and says which. So it never touches
 *  another run. */
async function placed(config: Config, flags: readonly FlagValue[], io: Io): Promise<Config> {
  if (flags.some(({ path }) => path === 'out')) return config
  const out = await freeFolder(userPath(config.out))
  if (out === userPath(config.out)) return config
  say(io, `${config.out} is not empty, so this run goes to ${relative(userPath('.'), out)}.`)
  return { ...config, out: relative(userPath('.'), out) }
}

/** Writes Moby-Dick into the folder of the run, because eval and --resume need it there. */
async function withMobyDick(config: Config, out: string): Promise<Config> {
  const path = join(out, CORPUS)
  await writeFileAtomic(path, await mobyDick())
  return { ...config, data: { ...config.data, files: [path] } }
}

const narrate = (config: Config, io: Io): Stages => ({
  text: ({ train, heldOut }) => {
    const { files } = config.data
    const what = files[0].endsWith(CORPUS) ? 'Moby-Dick by Herman Melville' : files.join(', ')
    say(io, `\n1. Text: ${what}, ${number(train.length)} characters to learn from.`)
    say(
      io,
      `   The last ${number(heldOut.length)} are held out: the model never trains on them and is evaluated on them.`,
    )
  },
  tokenizer: ({ vocabSize }, { train, bytesPerToken }) => {
    const { path } = config.tokenizer
    const how = path === undefined ? 'learned from the text (byte-level BPE)' : `read from ${path}`
    say(
      io,
      `\n2. Tokenizer: ${number(vocabSize)} tokens ${how}; a token stands for ${bytesPerToken.toFixed(2)} bytes.`,
    )
    say(io, `   The text to learn from is ${number(train.length)} tokens.`)
  },
  manifold: (about) => {
    say(
      io,
      '\n3. Manifold: a graph that joins related features of the text; its Laplacian gives every head vector its λ.',
    )
    say(io, `   ${about}`)
  },
  config: (model) => checkMemory(config, model),
  model: (model) => {
    if (!model.laplacian) say(io, '\n3. Manifold: not needed, because no head uses λ.')
    say(io, `\n   Model: ${modelText(model, config)}.`)
  },
})

const number = (value: number) => value.toLocaleString('en')

interface Conclusion {
  readonly result: TrainResult
  readonly config: Config
  readonly started: number
}

async function conclude(
  { model, tokenizer }: PreparedRun,
  { result, config, started }: Conclusion,
  io: Io,
): Promise<void> {
  const { sample, train } = config
  const { prompt, text } = await sampleText(model, tokenizer, sample, train.seed, result.step)
  const nearby = relative(userPath('.'), config.out)
  const folder = nearby === '' || nearby.startsWith('..') ? config.out : nearby
  const seconds = duration((performance.now() - started) / 1000)
  const isWhole = result.reason === 'finished'
  say(io, `\n5. ${isWhole ? 'Done in' : 'Stopped and saved after'} ${seconds}, ${result.step} steps.`)
  print(
    io,
    `Validation loss: ${result.valBpb.toFixed(3)} bits per byte (${result.valLoss.toFixed(3)} nats per token)`,
  )
  print(io, `Sample: ${prompt}${text}`)
  const other = attentionKinds().find(({ name }) => name !== model.config.attention)
  print(io, `\nThe run is in ${folder}: open ${join(folder, 'report.html')} in a browser. Then try:`)
  for (const [command, what] of [
    [`npm run tau -- generate ${folder} "Call me Ishmael"`, 'continue your own text'],
    [
      `npm run tau -- train --resume --out ${folder}${isWhole ? ` --steps ${2 * config.train.steps}` : ''}`,
      isWhole ? 'train for the same number of steps again' : 'continue to the end',
    ],
    ...(other
      ? [
          [
            `npm run demo -- --attention ${other.name} --out ${folder}-${other.name}`,
            `the same with ${other.about}`,
          ],
        ]
      : []),
  ])
    print(io, `  ${command}\n      ${what}`)
}
