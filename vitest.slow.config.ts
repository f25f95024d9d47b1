import { defineConfig } from 'vitest/config'
import { project, shared } from './vitest.config.ts'

/** Tests that take minutes, named `*.slow.ts`: `npm run test:slow`. */
export default defineConfig({
  test: { ...shared, projects: [project({ include: ['tools/**/*.slow.ts', 'apps/*/src/**/*.slow.ts'] })] },
})
