import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Pages that tell people which file to open. */
const PAGES = ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'README.md', 'docs/definition.md', 'docs/attention.md']

/** Paths in code spans that begin with a folder of the repository. A name in capitals, such as NAME, or a
 *  star stands for what the reader chooses; the path before it must exist. Left out are files that a build
 *  makes, and the kernel of CONTRIBUTING's example. */
function pathsOf(text: string): string[] {
  const spans = Array.from(text.matchAll(/`([^`\n]+)`/g), ([, span]) => span)
  return spans
    .filter((span) => /^(packages|apps|tools|bench|docs|\.changeset|\.github)\/[\w./*-]*$/.test(span))
    .map((path) => path.replace(/\/?[^/]*(\*|\b[A-Z]{3,}\b(?!\.md)).*$/, ''))
    .filter((path) => !/\/(generated|dist|results)(\/|$)|leaky-relu/.test(path))
}

describe.each(PAGES)('paths in %s', (page) => {
  const paths = pathsOf(readFileSync(`${root}${page}`, 'utf8'))
  it('exist', () => {
    expect(paths.filter((path) => !existsSync(`${root}${path}`))).toEqual([])
  })
})

it('finds the paths of a page, and what is before a name of the reader', () => {
  const text =
    'See `packages/tensor/src/optim/NAME.ts`, `docs/LOG.md`, `npm test`, `bench/*/x.bench.ts` and `tools/none`.'
  expect(pathsOf(text)).toEqual(['packages/tensor/src/optim', 'docs/LOG.md', 'bench', 'tools/none'])
  expect(pathsOf(readFileSync(`${root}ARCHITECTURE.md`, 'utf8')).length).toBeGreaterThan(15)
})
