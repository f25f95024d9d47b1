import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type GenerateOptions, generate, loadModel } from '@tau/model'
import { decodeUtf8 } from '@tau/tensor/files'
import { loadTokenizer, RUN_FILES, readTextFiles, type Tokenizer } from '@tau/train'
import { type Command, Option } from 'commander'
import { UsageError } from '../config/errors.ts'
import { EXIT, type Io, print, say } from '../io.ts'
import { userPath } from '../paths.ts'
import { deviceText, openDevice } from '../run/device.ts'
import { modelFolder } from '../run/folder.ts'
import type { Define } from './define.ts'
import { addConfigFlags, configOf, numberOf, wholeNumber } from './options.ts'

interface GenerateFlags {
  readonly promptFile?: string
  readonly tokens: number
  readonly temperature: number
  readonly topK?: number
  readonly topP: number
  readonly repetitionPenalty: number
  readonly seed: number
  readonly stop?: readonly string[]
  readonly cache: 'exact' | 'bounded'
  readonly bins?: number
}

export const define: Define = (command, action) => {
  command
    .argument('<folder>', 'model folder, such as runs/demo')
    .argument('[prompt]', 'text to continue (default: a line break)')
    .option('--prompt-file <file>', 'read the prompt from a file; - reads standard input')
    .option('--tokens <number>', 'maximal number of tokens to generate', wholeNumber('tokens', 0), 256)
    .option(
      '--temperature <number>',
      'randomness: lower is safer, higher is more varied, 0 always takes the likeliest token',
      numberOf('temperature'),
      0.8,
    )
    .option(
      '--top-k <number>',
      'choose only among the k likeliest tokens (default: all)',
      wholeNumber('top-k', 1),
    )
    .option(
      '--top-p <number>',
      'choose only among the likeliest tokens that together have this probability',
      numberOf('top-p'),
      0.95,
    )
    .option(
      '--repetition-penalty <number>',
      'above 1, tokens that are already in the context become less likely',
      numberOf('repetition-penalty'),
      1,
    )
    .option(
      '--seed <number>',
      'seed of the random choices; the same seed gives the same text',
      wholeNumber('seed', 0),
      1,
    )
    .option(
      '--stop <token...>',
      'tokens that end the text, in the spelling of tokenizer.json (default: the special tokens)',
    )
    .addOption(
      new Option(
        '--cache <kind>',
        'exact keeps all tokens, up to the context of the model. bounded, for tau models, takes prompts and texts of any length in constant memory',
      )
        .choices(['exact', 'bounded'])
        .default('exact'),
    )
    .option(
      '--bins <number>',
      'bins of a bounded cache; more bins are more exact and need more memory (default: 1024)',
      wholeNumber('bins', 2),
    )
  addConfigFlags(command, ['device'])
  command.action(action((io) => generateAction(command, io)))
}

async function generateAction(command: Command, io: Io): Promise<number> {
  const flags: GenerateFlags = command.opts()
  const folder = await modelFolder('generate', command.args[0])
  const config = await configOf(command)
  const tokenizer = await loadTokenizer(join(folder, RUN_FILES.tokenizer))
  const prompt = await promptOf(command, flags)
  const device = await openDevice(config.device, 0) // 0 flops, because each token is read before the next: too little work for a GPU
  try {
    say(io, `device: ${deviceText(device.info)}`)
    const model = await loadModel(device, folder)
    const { tokens: maxTokens, temperature, topK, topP, repetitionPenalty, seed, cache, bins } = flags
    const options: GenerateOptions = {
      ...{ maxTokens, temperature, topP, repetitionPenalty, seed, cache, signal: io.signal },
      ...(topK !== undefined && { topK }),
      ...(bins !== undefined && { bins }),
      stopTokens: stopTokens(tokenizer, flags.stop),
    }
    const decoder = tokenizer.decodeStream({ skipSpecialTokens: true })
    // The prompt is printed with the first token, so an error of generate leaves no text on stdout.
    let waiting = prompt
    for await (const id of generate(model, tokenizer.encode(prompt), options)) {
      io.stdout.write(waiting + decoder.push(id))
      waiting = ''
    }
    print(io, waiting + decoder.end())
    return io.signal.aborted ? EXIT.interrupted : EXIT.ok
  } finally {
    await device.close()
  }
}

async function promptOf(command: Command, { promptFile }: GenerateFlags): Promise<string> {
  const given = command.args[1]
  if (given !== undefined && promptFile !== undefined)
    throw new UsageError(
      `generate: there must be one prompt, got a text and --prompt-file ${promptFile}; leave one out`,
    )
  if (promptFile === undefined) return given ?? '\n'
  if (promptFile === '-') return decodeUtf8(await buffer(process.stdin), 'generate: the prompt')
  const [{ text }] = await readTextFiles([userPath(promptFile)])
  return text
}

function stopTokens(tokenizer: Tokenizer, names: readonly string[] = tokenizer.specialTokens): number[] {
  return names.map((name) => {
    const id = tokenizer.idOf(name)
    if (id === undefined)
      throw new UsageError(
        `generate: --stop must be a token of the tokenizer, got ${JSON.stringify(name)}; look it up in tokenizer.json`,
      )
    return id
  })
}
