import type { Unrolled } from './unroll.ts'

/** What the worker sends to the page. */
export type Message =
  | { readonly kind: 'status'; readonly text: string }
  | {
      readonly kind: 'done'
      readonly result: Unrolled
      readonly threads: number
      readonly fallbacks: readonly string[]
      readonly ms: number
    }
  | { readonly kind: 'failed'; readonly text: string }
