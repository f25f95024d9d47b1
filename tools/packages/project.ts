import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pinned, published } from './published.ts'
import { run } from './run.ts'

/** Packs every published package into `folder`. Gives the tarball of each name. */
export function packAll(folder: string): ReadonlyMap<string, string> {
  return new Map(
    published.map(({ folder: name, name: scoped, path }) => {
      run('pnpm', ['pack', '--pack-destination', folder], path)
      const file = readdirSync(folder).find(
        (entry) => entry.startsWith(`tau-${name}-`) && entry.endsWith('.tgz'),
      )
      if (!file) throw new Error(`check: pnpm pack of ${name} must leave a tarball in ${folder}, got none`)
      return [scoped, join(folder, file)]
    }),
  )
}

/** Old and new compilers, runtimes and bundlers that users have. They are installed into the scratch project only. */
const TOOLS = {
  typescript: pinned('typescript'),
  '@types/node': pinned('@types/node'),
  assemblyscript: '0.28.20',
  'gpu.js': '2.24.1',
  'typescript-oldest': 'npm:typescript@5.7.3',
  '@arethetypeswrong/cli': '0.18.5',
  bun: '1.4.5',
  deno: '2.9.6',
  esbuild: '0.28.2',
  vite: '8.3.8',
  webpack: '5.113.0',
} as const

const NOTHING = 'npm:empty-npm-package@1.0.0'

/** An empty project outside the workspace, with every tarball and the tools installed. npm, not the workspace's pnpm, installs it: most
 *  users do it so. */
export function makeProject(folder: string, tarballs: ReadonlyMap<string, string>): void {
  const packages = Object.fromEntries(Array.from(tarballs, ([name, path]) => [name, `file:${path}`]))
  // The tarballs stand in for the registry. npm wants an override of a direct dependency to repeat its specifier: `$name`.
  const overrides = {
    ...Object.fromEntries(Array.from(tarballs.keys(), (name) => [name, `$${name}`])),
    // Native, and not loaded: we give gpu.js the device of our own webgpu, and use no headless WebGL.
    'gpu.js': { gl: NOTHING, webgpu: NOTHING },
  }
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', private: true, dependencies: { ...packages, ...TOOLS }, overrides }),
  )
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], folder)
}
