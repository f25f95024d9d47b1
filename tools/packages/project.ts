import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pinned, published } from './published.ts'
import { run } from './run.ts'

/** Packs every published package into `folder` and returns the tarball of each package, by name. */
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

/** Compilers, runtimes and bundlers that users have, old and new. They are installed into the scratch project
 *  only. */
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

/** Makes an empty project outside the workspace and installs every tarball and the tools. It uses npm, not
 *  the workspace's pnpm, because most users do. */
export function makeProject(folder: string, tarballs: ReadonlyMap<string, string>): void {
  const packages = Object.fromEntries(Array.from(tarballs, ([name, path]) => [name, `file:${path}`]))
  // The tarballs stand in for the registry. npm wants an override of a direct dependency to repeat its
  // specifier: `$name`.
  const overrides = {
    ...Object.fromEntries(Array.from(tarballs.keys(), (name) => [name, `$${name}`])),
    // gpu.js's native packages are not needed: we give it the device of our own webgpu and use no headless
    // WebGL.
    'gpu.js': { gl: NOTHING, webgpu: NOTHING },
  }
  mkdirSync(folder)
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ type: 'module', private: true, dependencies: { ...packages, ...TOOLS }, overrides }),
  )
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], folder)
}
