import { learnTokenizer, saveTokenizer } from '@tau/train'
import { Command } from 'commander'
import { EXIT, type Io, print, say } from '../io.ts'
import { userPath } from '../paths.ts'
import { textsOf } from '../run/inputs.ts'
import type { Define } from './define.ts'
import { addConfigFlags, configOf, wholeNumber } from './options.ts'

export const define: Define = (command, action) => {
  const train = new Command('train')
    .description('Learn a byte-level BPE tokenizer from the part of the text that is trained on')
    .requiredOption(
      '--vocab-size <number>',
      'number of tokens, including the 256 bytes and one special token',
      wholeNumber('vocab-size', 257),
    )
    .requiredOption('--out <file>', "file to write, a tokenizer.json in Hugging Face's format")
  addConfigFlags(train, ['data'], { without: ['data.shards'] })
  train.action(action((io) => trainAction(train, io)))
  command.addCommand(train)
}

async function trainAction(command: Command, io: Io): Promise<number> {
  const { vocabSize, out }: { vocabSize: number; out: string } = command.opts()
  const texts = await textsOf((await configOf(command)).data)
  const tokenizer = learnTokenizer(vocabSize, texts)
  const path = userPath(out)
  await saveTokenizer(tokenizer, path)
  const ids = tokenizer.encode(texts.heldOut)
  say(
    io,
    `${tokenizer.vocabSize} tokens; the held-out text has ${(tokenizer.byteLength(ids) / ids.length).toFixed(3)} bytes per token`,
  )
  if (tokenizer.vocabSize < vocabSize)
    say(io, `fewer than the requested ${vocabSize} tokens, because the text has no more pairs to merge`)
  print(io, path)
  return EXIT.ok
}
