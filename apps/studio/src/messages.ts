import type { MetricsRecord, TrainOptions } from '@tau/train'

export type Backend = 'auto' | 'webgpu' | 'webgl2' | 'wasm'

export interface Settings {
  readonly backend: Backend
  /** Training options from the form. */
  readonly train: Partial<TrainOptions>
  /** Text to learn from. Undefined: Moby-Dick. */
  readonly text: string | undefined
}

/** Message from the page to the worker. */
export type Command =
  | { readonly kind: 'start'; readonly settings: Settings }
  | { readonly kind: 'pause' | 'resume' | 'stop' }

/** Message from the worker to the page. */
export type Message =
  | { readonly kind: 'stage'; readonly text: string }
  | { readonly kind: 'record'; readonly record: MetricsRecord }
  | { readonly kind: 'paused' }
  | { readonly kind: 'failed'; readonly text: string }
