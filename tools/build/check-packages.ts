// Packs every published package, lints the tarball with publint, installs all tarballs into an empty project outside the
// workspace, and runs there the TypeScript example of each README: types by tsc, then Node. Run it with pnpm on the path
// (`npm run check` does).
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

const root = fileURLToPath(new URL('../..', import.meta.url))
const packages = readdirSync(join(root, 'packages')).filter((name) => !manifest(name).private)

interface Manifest {
  name: string
  private?: boolean
  dependencies?: Record<string, string>
}

function manifest(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'))
}

function run(command: string, args: readonly string[], cwd: string): void {
  try {
    execFileSync(command, args, { cwd, stdio: 'pipe', encoding: 'utf8' })
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string }
    throw new Error(
      `check-packages: ${command} ${args.join(' ')} must succeed in ${cwd}, got:\n${stdout}\n${stderr}`,
    )
  }
}

/** The first ```ts block of a README. */
function example(name: string): string {
  const path = join(root, 'packages', name, 'README.md')
  const block = existsSync(path) ? /```ts\n([\s\S]*?)```/.exec(readFileSync(path, 'utf8')) : null
  if (!block)
    throw new Error(`check-packages: packages/${name}/README.md must hold a \`\`\`ts example, got none`)
  return block[1]
}

async function lint(name: string): Promise<void> {
  const pkgDir = join(root, 'packages', name)
  const { messages, pkg } = await publint({ pkgDir, strict: true })
  const problems = messages.map((message) => formatMessage(message, pkg))
  if (problems.length > 0)
    throw new Error(`check-packages: publint must find nothing in ${name}, got:\n${problems.join('\n')}`)
}

const work = mkdtempSync(join(tmpdir(), 'tau-packages-'))
try {
  const project = join(work, 'project')
  mkdirSync(project)
  const overrides: Record<string, string> = {}
  for (const name of packages) {
    await lint(name)
    run('pnpm', ['pack', '--pack-destination', work], join(root, 'packages', name))
    const tarball = readdirSync(work).find((file) => file.startsWith(`tau-${name}-`) && file.endsWith('.tgz'))
    if (!tarball)
      throw new Error(`check-packages: pnpm pack of ${name} must leave a tarball in ${work}, got none`)
    overrides[manifest(name).name] = `file:${join(work, tarball)}`
  }
  // npm, not the workspace's pnpm: the most common way to install. Overrides stand in for the registry.
  const dependencies = {
    ...overrides,
    typescript: devVersion('typescript'),
    '@types/node': devVersion('@types/node'),
  }
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify({ type: 'module', private: true, dependencies, overrides: nested(overrides) }),
  )
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        ...{ module: 'nodenext', target: 'es2023', lib: ['es2023', 'esnext.disposable', 'dom'] },
        ...{ strict: true, noEmit: true, types: ['node'], skipLibCheck: false },
      },
      include: ['*.ts'],
    }),
  )
  for (const name of packages) writeFileSync(join(project, `${name}.ts`), example(name))
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], project)
  run(join(project, 'node_modules/.bin/tsc'), ['-p', '.'], project)
  for (const name of packages) {
    run(process.execPath, [`${name}.ts`], project)
    console.log(`packages: @tau/${name} packs, lints, installs, type-checks and runs its README example`)
  }
} finally {
  if (process.env.TAU_KEEP) cpSync(work, process.env.TAU_KEEP, { recursive: true })
  rmSync(work, { recursive: true, force: true })
}

function devVersion(name: string): string {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).devDependencies[name]
}

/** npm wants an override of a direct dependency to repeat its specifier: `$name`. */
function nested(overrides: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.keys(overrides).map((name) => [name, `$${name}`]))
}
