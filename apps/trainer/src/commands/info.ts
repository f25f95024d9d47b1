import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { countParameters, MODEL_FILES, manifoldDim, readModelConfig, resolveConfig } from '@tau/model'
import { historyOf } from '@tau/report'
import { fileExists } from '@tau/tensor/files'
import { loadTokenizer, RUN_FILES, readMetrics } from '@tau/train'
import type { Command } from 'commander'
import type { Config } from '../config/schema.ts'
import { EXIT, type Io, print, table } from '../io.ts'
import { deviceText, openDevice } from '../run/device.ts'
import { modelFolder } from '../run/folder.ts'
import { estimateMemory, gigabytes } from '../run/memory.ts'
import { versions } from '../run/versions.ts'
import type { Define } from './define.ts'
import { addConfigFlags, configOf } from './options.ts'

export const define: Define = (command, action) => {
  command.argument('[folder]', 'model folder, such as runs/demo; without it, describe this machine')
  command.option(
    '--estimate',
    'estimate the memory that training with the flags below needs on the cpu backend',
  )
  addConfigFlags(command, ['model', 'train', 'device'])
  command.action(action((io) => infoAction(command, io)))
}

async function infoAction(command: Command, io: Io): Promise<number> {
  const [folder] = command.args
  const { estimate }: { estimate?: boolean } = command.opts()
  if (estimate) {
    print(io, table(await memoryRows(await configOf(command))))
    return EXIT.ok
  }
  print(
    io,
    table(
      folder === undefined ? await machineRows(command) : await modelRows(await modelFolder('info', folder)),
    ),
  )
  return EXIT.ok
}

async function memoryRows(config: Config): Promise<[string, string][]> {
  const model = resolveConfig(config.model)
  const { bytes, limit, advice } = await estimateMemory(config, model)
  return [
    ['parameters', countParameters(model).toLocaleString('en')],
    ['tokens per pass', `${config.train.batchSize} × ${model.seqLen.toLocaleString('en')}`],
    ['memory of training', `${gigabytes(bytes)}, plus about 0.2 GB for the runtime`],
    ['memory available', gigabytes(limit)],
    ['fits', advice === undefined ? 'yes' : `no: ${advice}`],
  ]
}

async function machineRows(command: Command): Promise<[string, string][]> {
  const device = await openDevice((await configOf(command)).device, 0)
  const rows: [string, string][] = [...Object.entries(versions()), ['device', deviceText(device.info)]]
  await device.close()
  return rows
}

const valueText = (value: unknown): string =>
  value === null ? 'none' : typeof value === 'object' ? JSON.stringify(value) : String(value)

async function modelRows(folder: string): Promise<[string, string][]> {
  const config = await readModelConfig(folder)
  const { size } = await stat(join(folder, MODEL_FILES.weights))
  const rows: [string, string][] = [
    ['parameters', countParameters(config).toLocaleString('en')],
    ['weights', `${MODEL_FILES.weights}, ${(size / 1e6).toFixed(1)} MB`],
    ...Object.entries({ ...config, manifoldDim: manifoldDim(config) }).map(
      ([key, value]): [string, string] => [key, valueText(value)],
    ),
  ]
  const tokenizer = join(folder, RUN_FILES.tokenizer)
  if (await fileExists(tokenizer))
    rows.push(['tokenizer', `${(await loadTokenizer(tokenizer)).vocabSize} tokens`])
  const metrics = join(folder, RUN_FILES.metrics)
  if (await fileExists(metrics)) rows.push(...metricsRows(historyOf(await readMetrics(metrics))))
  return rows
}

function metricsRows({ steps, evals, end }: ReturnType<typeof historyOf>): [string, string][] {
  const last = evals.at(-1)
  const rows: [string, string][] = [
    ['run', `${steps.at(-1)?.step ?? 0} steps, ${end?.reason ?? 'no end recorded'}`],
  ]
  if (last)
    rows.push([
      'validation',
      `${last.valLoss.toFixed(4)} nats per token, ${last.valBpb.toFixed(4)} bits per byte`,
    ])
  return rows
}
