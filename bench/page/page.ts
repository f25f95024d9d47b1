import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Figures, figuresOf } from '../records/figures.ts'
import { type BenchRecord, type Metrics, type Peers, peerText } from '../records/record.ts'
import { askedText, countsText, gotText, judge, type Verdict } from '../records/verdicts.ts'
import { gpuTables } from './gpu-tables.ts'
import { attentionTables, blasTables, graphTables, kernelTables } from './kernel-tables.ts'
import { codeText, markdownTable } from './markdown.ts'
import { decodeTables, trainTables } from './model-tables.ts'
import { linePlot } from './plot.ts'
import { attentionPlots, decodePlots, type NamedPlot, trainPlots } from './plots.ts'
import type { Table } from './table.ts'

/** The part of the page that a group of benches fills. */
interface Section {
  readonly group: string
  readonly title: string
  /** The first parts of its metrics' names. Undefined: the metrics that no other section has. */
  readonly prefixes: readonly string[] | undefined
  readonly tables: (metrics: Metrics, peers: Peers) => Table[]
  readonly plots: (metrics: Metrics, peers: Peers) => NamedPlot[]
}

const NO_PLOTS = () => []
const SECTIONS: readonly Section[] = [
  {
    ...{ group: 'train', title: 'Training', prefixes: ['train'] },
    ...{ tables: trainTables, plots: trainPlots },
  },
  {
    ...{ group: 'decode', title: 'Decoding', prefixes: ['decode'] },
    ...{ tables: decodeTables, plots: decodePlots },
  },
  {
    ...{ group: 'attention', title: 'Attention', prefixes: ['attention', 'sweep', 'crossover'] },
    ...{ tables: attentionTables, plots: attentionPlots },
  },
  {
    ...{ group: 'kernels', title: 'Kernels', prefixes: undefined },
    ...{ tables: kernelTables, plots: NO_PLOTS },
  },
  {
    ...{ group: 'gpu', title: 'WebGPU', prefixes: ['gpu'] },
    ...{ tables: gpuTables, plots: NO_PLOTS },
  },
  {
    ...{ group: 'blas', title: 'The system’s BLAS', prefixes: ['blas'] },
    ...{ tables: blasTables, plots: NO_PLOTS },
  },
  {
    ...{ group: 'graph', title: 'Graphs', prefixes: ['graph'] },
    ...{ tables: graphTables, plots: NO_PLOTS },
  },
]
/** Groups with files of their own. The page leaves their figures to these files. */
const ELSEWHERE = ['kvcache']
/** Folder of the plots, beside the page. */
const PLOTS = 'results'

const named = [...SECTIONS.flatMap(({ prefixes }) => prefixes ?? []), ...ELSEWHERE]

/** The entries of metrics, or of what was skipped, that belong to a section. */
function ofSection<T>({ prefixes }: Section, entries: Readonly<Record<string, T>>): Record<string, T> {
  const belongs = (name: string) => {
    const [first] = name.split('/')
    return prefixes ? prefixes.includes(first) : !named.includes(first)
  }
  return Object.fromEntries(Object.entries(entries).filter(([name]) => belongs(name)))
}

const isEmpty = (entries: object): boolean => Object.keys(entries).length === 0

/** The sources of the figures: a list for each record. */
function sourceText(record: BenchRecord): string {
  const { commit, command, date, cpu, memoryBytes, os, runtime, adapter, peers } = record
  const versions = Object.values(peers).map((peer) => `- peer ${codeText(peerText(peer))}\n`)
  const machine = `${cpu}, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB; ${os}; ${runtime}${adapter === undefined ? '' : `; ${adapter}`}`
  return `- commit ${codeText(commit)}, ${date}\n- command ${codeText(command)}\n- machine ${codeText(machine)}\n${versions.join('')}`
}

function claimTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map((entry) => {
    const { claim, verdict } = entry
    const words = verdict === 'kept' ? verdict : `**${verdict}**`
    return [codeText(claim.metric), gotText(entry), askedText(claim), words]
  })
  return markdownTable(['claim', 'value', 'asked', 'verdict'], rows)
}

/** Plots and tables. */
function figuresText(section: Section, { metrics, peers }: Omit<Figures, 'adapter'>): string[] {
  const plots = section.plots(metrics, peers).map(({ file, title }) => `![${title}](${PLOTS}/${file}.svg)\n`)
  const tables = section
    .tables(metrics, peers)
    .filter(({ rows }) => rows.length > 0)
    .flatMap(({ title, head, rows }) => [`${title}:\n`, markdownTable(head, rows)])
  return [...plots, ...tables]
}

function skippedText(section: Section, sources: readonly BenchRecord[]): string[] {
  const skipped = sources.flatMap((record) => Object.entries(ofSection(section, record.skipped)))
  if (skipped.length === 0) return []
  const rows = skipped.map(([what, why]) => [codeText(what), why])
  return ['Skipped:\n', markdownTable(['what', 'why'], rows)]
}

/** If a section was measured on several adapters, each has a heading, sources and tables. */
function sectionText(section: Section, records: readonly BenchRecord[], figures: readonly Figures[]): string {
  const sources = records.filter(
    (record) => !isEmpty(ofSection(section, record.metrics)) || !isEmpty(ofSection(section, record.skipped)),
  )
  const sets = figures
    .map((set) => ({ ...set, metrics: ofSection(section, set.metrics) }))
    .filter(({ metrics }) => !isEmpty(metrics))
  const isSplit = sets.length > 1
  const hasOwn = (record: BenchRecord) => isSplit && sets.some(({ adapter }) => adapter === record.adapter)
  const verdicts = judge(figures).filter(({ claim }) => claim.group === section.group)
  return [
    `## ${section.title}\n`,
    ...sources.filter((record) => !hasOwn(record)).map(sourceText),
    ...(verdicts.length > 0 ? [claimTable(verdicts)] : []),
    ...sets.flatMap((set) => [
      ...(isSplit ? [`### ${set.adapter ?? 'An adapter without a name'}\n`] : []),
      ...sources.filter((record) => hasOwn(record) && record.adapter === set.adapter).map(sourceText),
      ...figuresText(section, set),
    ]),
    ...skippedText(section, sources),
  ].join('\n')
}

/** Claims that were missed or not measured, by name. */
function openText(verdicts: readonly Verdict[]): string {
  const names = (word: Verdict['verdict']): string =>
    verdicts
      .filter(({ verdict }) => verdict === word)
      .map(({ claim }) => codeText(claim.metric))
      .join(', ')
  return (['missed', 'not measured'] as const)
    .filter((word) => names(word) !== '')
    .map((word) => `- ${word}: ${names(word)}\n`)
    .join('')
}

/** RESULTS.md: the same text for the same records, in whatever order they come. */
export function resultsPage(records: readonly BenchRecord[]): string {
  const sorted = records.toSorted((a, b) => (`${a.date} ${a.command}` < `${b.date} ${b.command}` ? -1 : 1))
  const figures = figuresOf(sorted)
  const verdicts = judge(figures)
  const measured = SECTIONS.filter((section) =>
    sorted.some(
      ({ metrics, skipped }) =>
        !isEmpty(ofSection(section, metrics)) || !isEmpty(ofSection(section, skipped)),
    ),
  )
  return [
    '# Results\n',
    '`npm run bench -- FILE.json … --report DIR` writes this page from the files of `--json`. Do not edit it. Times are medians. ± is half the\n' +
      'distance between the quartiles. Ratios compare programs that took turns on one machine, so they also hold on machines with other times.\n' +
      '1x is as fast, or as much, as the other. A peer has its version, and its environment if that changes its speed.\n',
    `Claims: ${countsText(verdicts)}.\n`,
    ...[openText(verdicts)].filter((text) => text !== ''),
    ...measured.map((section) => sectionText(section, sorted, figures)),
  ].join('\n')
}

/** Writes RESULTS.md into a folder, and its plots beside it; returns the files. */
export function writeResults(folder: string, records: readonly BenchRecord[]): string[] {
  const page = resultsPage(records)
  const plots = figuresOf(records).flatMap(({ metrics, peers }) =>
    SECTIONS.flatMap((section) => section.plots(metrics, peers)),
  )
  mkdirSync(join(folder, PLOTS), { recursive: true })
  for (const { file, ...plot } of plots) writeFileSync(join(folder, PLOTS, `${file}.svg`), linePlot(plot))
  writeFileSync(join(folder, 'RESULTS.md'), page)
  return [join(folder, 'RESULTS.md'), ...plots.map(({ file }) => join(folder, PLOTS, `${file}.svg`))]
}
