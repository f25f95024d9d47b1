import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { loadModel, MODEL_FILES, readModelConfig } from '@tau/model'
import { fileExists } from '@tau/tensor/files'
import {
  bitsPerByte,
  bytesPerToken,
  EvalBatches,
  evaluate,
  loadTokenizer,
  RUN_FILES,
  readPrepared,
  type Tokenizer,
  tokenize,
} from '@tau/train'
import type { Command } from 'commander'
import { buildConfig, type FlagValue } from '../config/config.ts'
import { UsageError } from '../config/errors.ts'
import { readRunFile } from '../config/file.ts'
import { EXIT, type Io, print, say, table } from '../io.ts'
import { userPath } from '../paths.ts'
import { deviceText, openDevice } from '../run/device.ts'
import { modelFolder } from '../run/folder.ts'
import { textsOf } from '../run/inputs.ts'
import type { Define } from './define.ts'
import { addConfigFlags, configOf, flagValues, wholeNumber } from './options.ts'

interface EvalFlags {
  readonly tokens?: number
  readonly batch: number
  readonly json?: boolean
}

export const define: Define = (command, action) => {
  command
    .argument('<folder>', 'model folder, such as runs/demo')
    .option(
      '--tokens <number>',
      'stop after the batch that reaches this number of tokens',
      wholeNumber('tokens', 1),
    )
    .option('--batch <number>', 'sequences per batch', wholeNumber('batch', 1), 8)
    .option('--json', 'print the result as JSON')
  addConfigFlags(command, ['data', 'device'])
  command.action(action((io) => evalAction(command, io)))
}

/** Floating-point operations of a batch: two per parameter and token. A parameter takes 4 bytes of the
 *  weights file. */
async function evalFlops(folder: string, batch: number): Promise<number> {
  const { seqLen } = await readModelConfig(folder)
  const { size } = await stat(join(folder, MODEL_FILES.weights))
  return 2 * (size / 4) * batch * seqLen
}

async function evalAction(command: Command, io: Io): Promise<number> {
  const { tokens = Number.POSITIVE_INFINITY, batch, json }: EvalFlags = command.opts()
  const folder = await modelFolder('eval', command.args[0])
  const config = await configOf(command)
  const tokenizer = await loadTokenizer(join(folder, RUN_FILES.tokenizer))
  const ids = await idsOf(folder, tokenizer, flagValues(command))
  const device = await openDevice(config.device, await evalFlops(folder, batch))
  try {
    say(io, `device: ${deviceText(device.info)}`)
    const model = await loadModel(device, folder)
    const batches = new EvalBatches({ ids, seqLen: model.config.seqLen, batchSize: batch })
    const result = await evaluate(model, batches, tokens)
    const bpb = bitsPerByte(result.loss, bytesPerToken(tokenizer, ids.subarray(0, result.tokens + 1)))
    const numbers = {
      nats: result.loss,
      bitsPerByte: bpb,
      perplexity: Math.exp(result.loss),
      tokens: result.tokens,
    }
    if (json) print(io, JSON.stringify(numbers))
    else
      print(
        io,
        table([
          ['loss', `${result.loss.toFixed(4)} nats per token`],
          ['', `${bpb.toFixed(4)} bits per byte`],
          ['perplexity', `${numbers.perplexity.toFixed(2)} per token`],
          ['tokens', result.tokens.toLocaleString('en')],
        ]),
      )
    return EXIT.ok
  } finally {
    await device.close()
  }
}

async function idsOf(folder: string, tokenizer: Tokenizer, flags: readonly FlagValue[]): Promise<Int32Array> {
  const { data } = buildConfig(undefined, flags)
  if (data.shards !== undefined) return (await readPrepared(userPath(data.shards))).data.val
  if (data.files.length > 0) {
    const { train, heldOut } = await textsOf(data)
    const isAll = !flags.some(({ path }) => path === 'data.heldOut')
    return tokenize({ train: '', heldOut: isAll ? train + heldOut : heldOut }, tokenizer).val
  }
  const path = join(folder, RUN_FILES.config)
  if (!(await fileExists(path)))
    throw new UsageError(
      `eval: there must be a text, got no --data and no ${RUN_FILES.config} in ${folder}; pass --data FILE`,
    )
  const run = buildConfig(await readRunFile(path), [])
  if (run.data.shards !== undefined) return (await readPrepared(userPath(run.data.shards))).data.val
  return tokenize(await textsOf(run.data), tokenizer).val
}
