import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { published } from './published.ts'
import { brokenLinks } from './readme-links.ts'
import { run } from './run.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Throws unless every link and image of the README in a tarball leads somewhere. */
function checkReadme(name: string, tarball: string, project: string): void {
  const files = run('tar', ['-tzf', tarball], project)
    .split('\n')
    .map((path) => path.replace(/^package\//, ''))
  const readme = run('tar', ['-xzOf', tarball, 'package/README.md'], project)
  const broken = brokenLinks(readme, new Set(files), (path) => existsSync(`${root}${path}`))
  if (broken.length > 0) {
    throw new Error(
      `check: links in the README of ${name} must work from its tarball, got ${broken.join(', ')}; link to the repository on the web, https://github.com/tau-ml/tau/blob/main/…`,
    )
  }
}

/** Checks packages and tarballs:
 *  - publint finds nothing in a package;
 *  - Are The Types Wrong finds nothing in its tarball. The packages are ES modules: `require()` reaches them in Node (see runtimes.ts),
 *    and resolution as before Node 16 is not supported;
 *  - links in its README work without the repository. */
export async function lint(tarballs: ReadonlyMap<string, string>, project: string): Promise<void> {
  for (const { name, path } of published) {
    const { messages, pkg } = await publint({ pkgDir: path, strict: true })
    const problems = messages.map((message) => formatMessage(message, pkg))
    if (problems.length > 0)
      throw new Error(`check: publint must find nothing in ${name}, got:\n${problems.join('\n')}`)
  }
  for (const [name, tarball] of tarballs) {
    run('node_modules/.bin/attw', [tarball, '--profile', 'esm-only', '--no-emoji'], project)
    checkReadme(name, tarball, project)
  }
}
