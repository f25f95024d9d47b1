import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { readEmbeddings, readManifold, writeManifold } from '@tau/graph'
import { MODEL_FILES } from '@tau/model'
import { nodeStore, writeFileAtomic } from '@tau/tensor/files'
import { makeManifold, type Texts } from '@tau/train'
import { Command } from 'commander'
import { UsageError } from '../config/errors.ts'
import { lookAtItems } from '../inspect/items.ts'
import { type Look, lookAt, notesOf, rowsOf } from '../inspect/look.ts'
import { renderManifold } from '../inspect/page.ts'
import { EXIT, type Io, print, say, table } from '../io.ts'
import { userPath } from '../paths.ts'
import { passLine } from '../progress.ts'
import { openDevice } from '../run/device.ts'
import { absolutePaths, textsOf } from '../run/inputs.ts'
import type { Define } from './define.ts'
import { addConfigFlags, configOf, wholeNumber } from './options.ts'

export const define: Define = (command, action) => {
  const build = new Command('build')
    .description('Build the Laplacian of a domain from a text or from an embeddings file')
    .requiredOption('--out <folder>', 'folder to write manifold.parquet and manifold.json to')
    .requiredOption(
      '--dim <number>',
      'size of the Laplacian; it must equal manifoldDim of the model, by default nEmbd / nHead',
      wholeNumber('dim', 2),
    )
    .option('--overwrite', 'replace the manifold in --out')
  addConfigFlags(build, ['data', 'manifold', 'device'], {
    without: ['data.shards', 'manifold.path', 'device.backend', 'device.mode'],
  })
  build.action(action((io) => buildAction(build, io)))

  const inspect = new Command('inspect')
    .description('Check a manifold and describe its graph')
    .argument('<path>', 'folder with manifold.parquet, or a .parquet file')
    .option('--json', 'print everything as JSON')
    .option('--html <file>', 'file for the HTML page (default: inspect.html beside the manifold)')
    .option('--no-html', 'do not write a page')
    .option(
      '--embeddings <file>',
      'embeddings that the manifold was built from; then the page also shows them, with their λ',
    )
    .option('--embeddings-name <text>', 'field, column or tensor of the embeddings file')
  inspect.action(action((io) => inspectAction(inspect, io)))

  command.addCommand(build).addCommand(inspect)
}

async function buildAction(command: Command, io: Io): Promise<number> {
  const { out, dim, overwrite = false }: BuildOptions = command.opts()
  const config = absolutePaths(await configOf(command))
  const folder = userPath(out)
  if (!overwrite) await refuseOldManifold(folder)
  // The text is read first, so a missing text gives an error of this command, not one of the graph package.
  const texts: Texts | undefined =
    config.manifold.embeddings === undefined ? await textsOf(config.data) : undefined
  const device = await openDevice(config.device, 0)
  for (const fallback of device.info.fallbacks) say(io, `fallback: ${fallback}`)
  const { signal } = io
  const onProgress = passLine(io)
  const built = await makeManifold(config.manifold, dim, () => texts?.train ?? '', {
    ...{ device, signal, onProgress },
  })
    .catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
    .finally(() => device.close())
  if (built === undefined) {
    say(io, 'interrupted: nothing was written')
    return EXIT.interrupted
  }
  const { laplacian, about, origin } = built
  await writeManifold(folder, { laplacian, ...origin })
  say(io, about)
  print(io, folder)
  return EXIT.ok
}

interface BuildOptions {
  readonly out: string
  readonly dim: number
  readonly overwrite?: boolean
}

async function refuseOldManifold(folder: string): Promise<void> {
  const old = (await nodeStore(folder).list()).filter(
    (name) => name === MODEL_FILES.manifold || name === MODEL_FILES.about,
  )
  if (old.length > 0)
    throw new UsageError(
      `manifold build: ${folder} must not hold a manifold already, got ${old.join(', ')}; pass --overwrite or another --out`,
    )
}

async function inspectAction(command: Command, io: Io): Promise<number> {
  const { json, html, embeddings, embeddingsName }: InspectOptions = command.opts()
  const path = userPath(command.args[0])
  const manifold = await readManifold(path, { check: false })
  const items =
    embeddings === undefined
      ? undefined
      : await lookAtItems(
          manifold,
          await readEmbeddings(
            userPath(embeddings),
            embeddingsName === undefined ? {} : { name: embeddingsName },
          ),
        )
  const look = await lookAt(manifold, items)
  const { verdict, description, spectrum } = look
  if (json) {
    const { nameId, metadata } = manifold
    print(
      io,
      JSON.stringify({ nameId, metadata, verdict, description, spectrum: spectrumJson(spectrum) }, null, 2),
    )
  } else print(io, table([...rowsOf(look), ...notesOf(look)]))
  if (html !== false) {
    const page = typeof html === 'string' ? userPath(html) : await besideManifold(path)
    await writeFileAtomic(page, renderManifold(look))
    say(io, `page: ${page}`)
  }
  return verdict.ok ? EXIT.ok : EXIT.error
}

interface InspectOptions {
  readonly json?: boolean
  /** False with --no-html; true if neither flag is given. */
  readonly html: boolean | string
  readonly embeddings?: string
  readonly embeddingsName?: string
}

const besideManifold = async (path: string): Promise<string> =>
  join((await stat(path)).isDirectory() ? path : dirname(path), 'inspect.html')

function spectrumJson(spectrum: Look['spectrum']) {
  if (typeof spectrum === 'string') return { problem: spectrum }
  const { values, isWhole, eigengap } = spectrum
  return { isWhole, eigengap, values: Array.from(values) }
}
