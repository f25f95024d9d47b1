import type { Options } from 'tsup'
import { defineConfig } from 'tsup'
import { pageAssets } from './src/report/assets.ts'

type Plugin = NonNullable<Options['esbuildPlugins']>[number]

/** Puts the pages' styles and scripts into the bundle, in the place of the module that reads them from files. */
const inlinePageAssets: Plugin = {
  name: 'page-assets',
  setup: (build) => {
    build.onLoad({ filter: /report\/assets\.ts$/ }, () => ({
      contents: `export const pageAssets = () => (${JSON.stringify(pageAssets())})`,
      loader: 'js',
    }))
  },
}

/** The command `tau` as one file; packages stay outside, also those of the workspace: they load worker threads and WASM. */
export default defineConfig({
  entry: ['src/cli.ts'],
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  sourcemap: true,
  clean: true,
  dts: false,
  esbuildPlugins: [inlinePageAssets],
})
