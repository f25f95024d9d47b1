import { describe, expect, it } from 'vitest'
import { allImports, circles, valueImports } from './graph.ts'

const TEXT = `
import './effect.ts'
import { a } from './named.ts'
import { type B, c } from './mixed.ts'
import * as d from './all.ts'
import e from './default.ts'
export { f } from './again.ts'
export * from './everything.ts'
import type { G } from './types.ts'
import { type H, type I } from './only-types.ts'
export type { J } from './type-exports.ts'
export { type K } from './inline-type-exports.ts'
import { l } from 'package'
const m = () => import('./later.ts')
`

describe('valueImports', () => {
  it('takes imports and exports of values, and no types, packages or dynamic imports', () => {
    expect(valueImports(TEXT)).toEqual([
      './effect.ts',
      './named.ts',
      './mixed.ts',
      './all.ts',
      './default.ts',
      './again.ts',
      './everything.ts',
    ])
  })
})

describe('allImports', () => {
  it('takes types as well, and no packages or dynamic imports', () => {
    const types = ['./types.ts', './only-types.ts', './type-exports.ts', './inline-type-exports.ts']
    expect(allImports(TEXT)).toEqual([...valueImports(TEXT), ...types])
  })
})

describe('circles', () => {
  const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges))

  it('are none in a tree, nor where two ways lead to one file', () => {
    expect(circles(graph({ a: ['b', 'c'], b: ['d'], c: ['d', 'outside'], d: [] }))).toEqual([])
  })

  it('are found apart, also of one file and where they cross', () => {
    const found = circles(
      graph({ a: ['b'], b: ['a', 'c'], c: ['d'], d: ['e', 'f'], e: ['c'], f: ['d'], g: ['g'], h: ['a'] }),
    )
    expect(found.sort()).toEqual([['a', 'b'], ['c', 'd', 'e', 'f'], ['g']])
  })
})
