import { defineConfig } from 'vitest/config'
import config from './vitest.config.ts'

/** Tests that take minutes, named `*.slow.ts`: `npm run test:slow`. */
export default defineConfig({
  ...config,
  test: { ...config.test, include: ['tools/**/*.slow.ts', 'apps/*/src/**/*.slow.ts'] },
})
