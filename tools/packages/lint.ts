import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { published } from './published.ts'
import { run } from './run.ts'

/** publint on every package and Are The Types Wrong on every tarball. The packages are ES modules: `require()` reaches them in Node
 *  (see runtimes.ts), and resolution as before Node 16 is not supported. */
export async function lint(tarballs: ReadonlyMap<string, string>, project: string): Promise<void> {
  for (const { name, path } of published) {
    const { messages, pkg } = await publint({ pkgDir: path, strict: true })
    const problems = messages.map((message) => formatMessage(message, pkg))
    if (problems.length > 0)
      throw new Error(`check: publint must find nothing in ${name}, got:\n${problems.join('\n')}`)
  }
  for (const tarball of tarballs.values())
    run('node_modules/.bin/attw', [tarball, '--profile', 'esm-only', '--no-emoji'], project)
}
