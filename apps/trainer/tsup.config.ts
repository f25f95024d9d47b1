import { defineConfig } from 'tsup'

/** Builds the command `tau`. Each command has its own file, which is loaded only if the command is named.
 *  Packages stay outside the bundle, also those of the workspace, because they load worker threads and
 *  WASM. */
export default defineConfig({
  entry: ['src/cli.ts'],
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  sourcemap: true,
  clean: true,
  dts: false,
})
