import type { PositionalKind } from './encoding.ts'
import { noEncoding } from './none.ts'
import { ropeEncoding } from './rope.ts'

/** Positional encodings by their name in the configuration. */
const kinds = { rope: ropeEncoding, none: noEncoding } as const satisfies Record<string, PositionalKind>

export type PositionName = keyof typeof kinds
export const positionNames: readonly PositionName[] = ['rope', 'none']

export const positionalKind = (name: PositionName): PositionalKind => kinds[name]
