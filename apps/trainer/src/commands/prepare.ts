import { learnTokenizer, loadTokenizer, tokenize, vocabSizeOf, writePrepared } from '@tau/train'
import type { Command } from 'commander'
import { runSettingsOf } from '../config/config.ts'
import { EXIT, type Io, print, say } from '../io.ts'
import { userPath } from '../paths.ts'
import { textsOf } from '../run/inputs.ts'
import type { Define } from './define.ts'
import { addConfigFlags, configOf, wholeNumber } from './options.ts'

const SHARD_TOKENS = 2 ** 26

export const define: Define = (command, action) => {
  command
    .requiredOption('--out <folder>', 'folder to write; train on it with tau train --data.shards FOLDER')
    .option(
      '--shard-tokens <number>',
      'number of tokens per .bin file',
      wholeNumber('shard-tokens', 1),
      SHARD_TOKENS,
    )
  addConfigFlags(command, ['data', 'tokenizer'], { without: ['data.shards'] })
  command.action(action((io) => prepareAction(command, io)))
}

async function prepareAction(command: Command, io: Io): Promise<number> {
  const { out, shardTokens }: { out: string; shardTokens: number } = command.opts()
  const config = await configOf(command)
  const texts = await textsOf(config.data)
  const { path } = config.tokenizer
  const tokenizer =
    path === undefined
      ? learnTokenizer(vocabSizeOf(runSettingsOf(config)), texts)
      : await loadTokenizer(userPath(path))
  const data = tokenize(texts, tokenizer)
  const folder = userPath(out)
  const { dtype } = await writePrepared(folder, { tokenizer, data }, shardTokens)
  const count = (n: number) => n.toLocaleString('en')
  say(
    io,
    `${count(data.train.length)} tokens to train on, ${count(data.val.length)} held out, ${dtype}, ${data.bytesPerToken.toFixed(3)} bytes per token`,
  )
  print(io, folder)
  return EXIT.ok
}
