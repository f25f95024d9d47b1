import { defineConfig } from 'tsup'

/** The command `tau`, with a file for each command that is loaded when it is named. Packages stay outside, also those of the workspace:
 *  they load worker threads and WASM. */
export default defineConfig({
  entry: ['src/cli.ts'],
  format: ['esm'],
  target: 'node22',
  platform: 'node',
  sourcemap: true,
  clean: true,
  dts: false,
})
