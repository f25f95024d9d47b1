import {
  checkLaplacian,
  configNumber,
  describeManifold,
  type Manifold,
  type Quantiles,
  readManifold,
  writeManifold,
} from '@tau/graph'
import { Command } from 'commander'
import { userPath } from '../paths.ts'
import { passLine } from '../progress.ts'
import { readTexts, type Texts } from '../run/corpus.ts'
import { openDevice } from '../run/device.ts'
import { EXIT, type Io, print, say, table } from '../run/io.ts'
import { makeManifold } from '../run/manifold.ts'
import type { Action } from './action.ts'
import { addConfigFlags, configOf, wholeNumber } from './options.ts'

export function manifoldCommand(action: Action): Command {
  const build = new Command('build')
    .description('Build the Laplacian of a domain from a text or from an embeddings file')
    .requiredOption('--out <folder>', 'folder for manifold.parquet and manifold.json')
    .requiredOption(
      '--dim <number>',
      "size of the Laplacian: the model's manifoldDim, or nEmbd / nHead",
      wholeNumber('dim', 2),
    )
  addConfigFlags(build, ['data', 'manifold', 'device'], {
    without: ['data.shards', 'manifold.path', 'device.backend', 'device.mode'],
  })
  build.action(action((io) => buildAction(build, io)))

  const inspect = new Command('inspect')
    .description('Check a manifold and describe its graph')
    .argument('<path>', 'folder with manifold.parquet, or a .parquet file')
    .option('--json', 'print everything as JSON')
  inspect.action(action((io) => inspectAction(inspect, io)))

  return new Command('manifold')
    .description('The graph of a domain, whose Laplacian λ is measured with')
    .addCommand(build)
    .addCommand(inspect)
}

async function buildAction(command: Command, io: Io): Promise<number> {
  const { out, dim }: { out: string; dim: number } = command.opts()
  const config = await configOf(command)
  // The text is read first: asking for it must not fail inside the graph package.
  const texts: Texts | undefined =
    config.manifold.embeddings === undefined ? await readTexts(config.data) : undefined
  const device = await openDevice(config.device)
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
  const folder = userPath(out)
  await writeManifold(folder, { laplacian, ...origin })
  say(io, about)
  print(io, folder)
  return EXIT.ok
}

async function inspectAction(command: Command, io: Io): Promise<number> {
  const { json }: { json?: boolean } = command.opts()
  const manifold = await readManifold(userPath(command.args[0]), { check: false })
  const verdict = checkLaplacian(manifold.laplacian, { rowSums: 'any' })
  const description = describeManifold(manifold.laplacian, sourceSettings(manifold))
  if (json)
    print(
      io,
      JSON.stringify({ nameId: manifold.nameId, metadata: manifold.metadata, verdict, description }, null, 2),
    )
  else print(io, describe(manifold, verdict, description))
  return verdict.ok ? EXIT.ok : EXIT.error
}

function sourceSettings({ metadata }: Manifold): { sigma?: number; p?: number } {
  if (metadata === undefined) return {}
  const sigma = configNumber(metadata, 'lambda_sigma')
  const p = configNumber(metadata, 'lambda_p')
  return { ...(sigma !== undefined && { sigma }), ...(p !== undefined && { p }) }
}

function describe(
  { nameId, metadata }: Manifold,
  verdict: ReturnType<typeof checkLaplacian>,
  graph: ReturnType<typeof describeManifold>,
): string {
  const rows: [string, string][] = [
    ['name', nameId],
    [
      'size',
      `${graph.size} × ${graph.size}, ${graph.nnz} entries (${(100 * graph.density).toPrecision(3)} %)`,
    ],
    ['graph', `edges: ${graph.edges}, components: ${graph.components}, isolated features: ${graph.isolated}`],
    ['', 'min · quarter · median · three quarters · max'],
    ['neighbours', spreadText(graph.neighbours)],
    ['degree', spreadText(graph.degree)],
    ['weights', spreadText(graph.weights)],
  ]
  if (graph.impliedDistances) rows.push(['implied distances', spreadText(graph.impliedDistances)])
  rows.push(
    ['energies', `${spreadText(graph.energy)} (of random vectors)`],
    ['symmetry error', verdict.symmetryError.toPrecision(3)],
    ['row sum error', verdict.rowSumError.toPrecision(3)],
    ['least eigenvalue', `${verdict.minEigenvalue.toPrecision(3)} (${verdict.psdMethod})`],
  )
  if (metadata) rows.push(['built from', `${metadata.n_rows} × ${metadata.n_cols}, ${metadata.timestamp}`])
  for (const oddity of graph.oddities) rows.push(['note', oddity])
  for (const problem of verdict.problems) rows.push(['problem', problem])
  rows.push(['verdict', verdict.ok ? 'a Laplacian that a model can use' : 'not usable: see the problems'])
  return table(rows)
}

const spreadText = ({ min, q25, median, q75, max }: Quantiles): string =>
  [min, q25, median, q75, max].map((value) => Number(value.toPrecision(4))).join(' · ')
