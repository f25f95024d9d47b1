import type { MetricsRecord } from '@tau/train'
import type { FlagValue } from '@tau/trainer'

export type Backend = 'auto' | 'webgpu' | 'webgl2' | 'wasm'

export interface Settings {
  readonly backend: Backend
  /** Settings of the command's configuration, as typed. */
  readonly fields: readonly FlagValue[]
  /** What to learn; undefined: Moby-Dick. */
  readonly text: string | undefined
}

/** What the page tells the worker. */
export type Command =
  | { readonly kind: 'start'; readonly settings: Settings }
  | { readonly kind: 'pause' | 'resume' | 'stop' }

/** What the worker tells the page. */
export type Message =
  | { readonly kind: 'stage'; readonly text: string }
  | { readonly kind: 'record'; readonly record: MetricsRecord }
  | { readonly kind: 'paused' }
  | { readonly kind: 'failed'; readonly text: string }
