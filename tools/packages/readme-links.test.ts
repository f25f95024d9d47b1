import { expect, it } from 'vitest'
import { brokenLinks } from './readme-links.ts'

const files = new Set(['README.md', 'LICENSE', 'dist/index.js'])
const broken = (readme: string, paths: readonly string[] = []) =>
  brokenLinks(readme, files, (path) => paths.includes(path))

it('takes files of the tarball, other sites and headings', () => {
  const readme =
    '[a](LICENSE) [b](./dist/index.js#L1) [c](https://example.org/x.md) [d](#memory) [e](mailto:a@example.org)\n[f]: LICENSE\n'
  expect(broken(readme)).toEqual([])
})

it('finds links and images that the tarball does not hold, in every form of Markdown', () => {
  const readme =
    '[a](../tensor) ![b](../../bench/b.svg "title")\n<img src="c.png"> <a href=\'d.md\'>d</a>\n\n[e]: ../e.md\n'
  expect(broken(readme)).toEqual(['../tensor', '../../bench/b.svg', '../e.md', 'c.png', 'd.md'])
})

it('finds addresses of the repository that lead to no file of it', () => {
  const page = 'https://github.com/tau-ml/tau/blob/main/docs/graph.md#costs'
  const image = 'https://raw.githubusercontent.com/tau-ml/tau/main/bench/results/gone.svg'
  expect(broken(`[a](${page}) ![b](${image})`, ['docs/graph.md'])).toEqual([image])
})

it('leaves code alone', () => {
  expect(broken('```ts\nrows[0](../x)\n```\nand `a[1](../y)`')).toEqual([])
})
