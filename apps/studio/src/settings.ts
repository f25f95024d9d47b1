import { demoOptions } from '@tau/demo'
import { type RunSettings, runSettings } from '@tau/train'
import type { Settings } from './messages.ts'

/** Held-out tokens of a validation: whoever looks at the page waits for it. */
const EVAL_TOKENS = 4096

/** The demo's settings with those of the page. Throws an error that says which setting is wrong. */
export function settingsOf({ train }: Pick<Settings, 'train'>): RunSettings {
  return runSettings({
    ...demoOptions,
    train: { ...demoOptions.train, ...train, evalTokens: EVAL_TOKENS, headsEvery: 0 },
  })
}
