import { number, type OptionsOf } from '../config/field.ts'
import { DOT_REPORT, dotProduct } from './dot.ts'
import { defineAttentionKind } from './kind.ts'

const options = {
  window: number({
    default: 64,
    whole: true,
    atLeast: 1,
    unit: 'tokens',
    help: 'Number of newest keys that a query of dot-window attention sees',
  }),
} as const

export type DotWindowOptions = OptionsOf<typeof options>

/** Dot-product attention within a window. It takes O(T·window) time, and its cache does not grow with the
 *  context. */
export const dotWindow = defineAttentionKind({
  name: 'dot-window',
  about: 'dot-product attention within a window',
  modelType: 'gpt_window',
  architecture: 'WindowGPT',
  needsLaplacian: false,
  hasBoundedCache: true,
  options,
  parameters: () => [],
  create: (context, { window }) => dotProduct(context, window),
  report: DOT_REPORT,
  distributions: [],
  scalars: [],
})
