import { demoOptions } from '@tau/demo'
import { type RunSettings, runSettings } from '@tau/train'
import type { Settings } from './messages.ts'

/** Held-out tokens per validation. There are few, because the user waits for it. */
const EVAL_TOKENS = 4096

/** The settings of the demo, changed by those of the page. Throws an error that names the wrong setting. */
export function settingsOf({ train }: Pick<Settings, 'train'>): RunSettings {
  return runSettings({
    ...demoOptions,
    train: { ...demoOptions.train, ...train, evalTokens: EVAL_TOKENS, headsEvery: 0 },
  })
}
