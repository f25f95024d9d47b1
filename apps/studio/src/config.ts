import { buildConfig, type Config, demoDefaults } from '@tau/trainer'
import type { Settings } from './messages.ts'

/** Held-out tokens of a validation: whoever looks at the page waits for it. */
const EVAL_TOKENS = 4096

/** The demo's configuration with the settings of the page. Throws UsageError, which says which setting is wrong. */
export function configOf({ fields }: Pick<Settings, 'fields'>): Config {
  const config = buildConfig(demoDefaults, fields)
  return { ...config, train: { ...config.train, evalTokens: EVAL_TOKENS, headsEvery: 0 } }
}
