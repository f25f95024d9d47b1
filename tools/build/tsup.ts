import { defineConfig } from 'tsup'

/** The one build preset: ESM for Node and browsers; types are emitted by tsc (see each package's build script). */
export const library = (entry: string[] = ['src/index.ts']) =>
  defineConfig({
    entry,
    format: ['esm'],
    target: 'es2023', // lowers `using`, which Node 22 does not parse
    platform: 'neutral',
    sourcemap: true,
    clean: true,
    dts: false,
    removeNodeProtocol: false,
    external: ['gpu.js', /^node:/],
  })
