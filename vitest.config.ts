import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'

// Workspace packages resolve to their TypeScript sources through the "source" condition: tests need the generated
// wasm modules (turbo run wasm), not a build.
const conditions = ['source', 'module', 'node', 'development|production']

/** What the files of `include` are run with. */
export const project = (
  test: NonNullable<TestProjectInlineConfiguration['test']>,
): TestProjectInlineConfiguration => ({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    exclude: ['**/node_modules/**', '**/dist/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    ...test,
  },
})

/** All cores: vitest leaves one to itself. */
export const shared = { globalSetup: ['tools/adapter-setup.ts'], maxWorkers: '100%' }

/** Tests that take the GPU's device away, with all that was compiled for it. */
const LOSING = ['**/lost.test.ts', '**/device-loss.test.ts']

export default defineConfig({
  test: {
    ...shared,
    projects: [
      // One process after another file: they share the device of WebGPU, which compiles each kernel once and not once a file.
      project({
        name: 'packages',
        include: ['packages/*/src/**/*.test.ts'],
        exclude: [...LOSING, '**/node_modules/**', '**/dist/**'],
        isolate: false,
      }),
      project({
        name: 'alone',
        include: [
          ...LOSING.map((file) => `packages/*/src/${file}`),
          'apps/*/src/**/*.test.ts',
          'tools/**/*.test.ts',
          'bench/**/*.test.ts',
        ],
      }),
    ],
  },
})
