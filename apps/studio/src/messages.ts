import type { MetricsRecord, TrainOptions } from '@tau/train'

export type Backend = 'auto' | 'webgpu' | 'webgl2' | 'wasm'

export interface Settings {
  readonly backend: Backend
  /** What the form says of the training. */
  readonly train: Partial<TrainOptions>
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
