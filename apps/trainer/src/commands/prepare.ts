import { join } from 'node:path'
import { resolveConfig } from '@tau/model'
import { saveTokenizer, writeShards } from '@tau/train'
import type { Command } from 'commander'
import { EXIT, type Io, print, say } from '../io.ts'
import { userPath } from '../paths.ts'
import { makeTokenizer, readTexts } from '../run/corpus.ts'
import { RUN_FILES } from '../run/folder.ts'
import { tokenize } from '../run/tokens.ts'
import type { Define } from './define.ts'
import { addConfigFlags, configOf, wholeNumber } from './options.ts'

const SHARD_TOKENS = 2 ** 26

export const define: Define = (command, action) => {
  command
    .requiredOption('--out <folder>', 'folder to write; train with --data.shards on it')
    .option('--shard-tokens <number>', 'tokens per .bin file', wholeNumber('shard-tokens', 1), SHARD_TOKENS)
  addConfigFlags(command, ['data', 'tokenizer'], { without: ['data.shards'] })
  command.action(action((io) => prepareAction(command, io)))
}

async function prepareAction(command: Command, io: Io): Promise<number> {
  const { out, shardTokens }: { out: string; shardTokens: number } = command.opts()
  const config = await configOf(command)
  const texts = await readTexts(config.data)
  const vocabSize = config.tokenizer.vocabSize ?? resolveConfig().vocabSize
  const tokenizer = await makeTokenizer(config.tokenizer.path, vocabSize, texts)
  const { train, val, bytesPerToken } = tokenize(texts, tokenizer)
  const folder = userPath(out)
  const header = await writeShards(folder, { train, val, vocabSize: tokenizer.vocabSize, shardTokens })
  await saveTokenizer(tokenizer, join(folder, RUN_FILES.tokenizer))
  const count = (n: number) => n.toLocaleString('en')
  say(
    io,
    `${count(train.length)} tokens to train on, ${count(val.length)} held out, ${header.dtype}, ${bytesPerToken.toFixed(3)} bytes per token`,
  )
  print(io, folder)
  return EXIT.ok
}
