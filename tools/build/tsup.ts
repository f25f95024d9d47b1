import { readFileSync } from 'node:fs'
import { defineConfig, type Options } from 'tsup'

/** The one build preset: ES modules for Node and browsers. tsc emits the types (see each package's build
 *  script). */
export const library = (esbuildPlugins: NonNullable<Options['esbuildPlugins']> = []) =>
  defineConfig({
    entry: entries(),
    format: ['esm'],
    target: 'es2023', // lowers `using`, which Node 22 does not parse
    platform: 'neutral',
    sourcemap: true,
    clean: true,
    dts: false,
    removeNodeProtocol: false,
    external: ['gpu.js', /^node:/],
    esbuildPlugins,
  })

/** One file in dist for each entry of the package's `exports`: src/optim/index.ts becomes
 *  dist/optim/index.js. */
function entries(): Record<string, string> {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as Manifest
  const sources = Object.values(exports).flatMap(({ source }) => source ?? [])
  return Object.fromEntries(sources.map((path) => [path.replace(/^\.\/src\/(.*)\.ts$/, '$1'), path]))
}

interface Manifest {
  exports: Readonly<Record<string, { source?: string }>>
}
