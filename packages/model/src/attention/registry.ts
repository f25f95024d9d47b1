import type { Field } from '../config/field.ts'
import { dot } from './dot.ts'
import { dotWindow } from './dot-window.ts'
import type { AttentionKind } from './kind.ts'
import { tau } from './tau/tau.ts'

const kinds = new Map<string, AttentionKind>()

/** Registers a kind for configurations, files and reports. Throws if the name is taken, or if an option has
 *  the name of a different field. Returns a function that removes the kind. */
export function registerAttentionKind(kind: AttentionKind): () => void {
  const fail = (rule: string): never => {
    throw new Error(`registerAttentionKind: ${rule}`)
  }
  if (!/^[a-z][a-z0-9-]*$/.test(kind.name))
    fail(`name must be lower case letters, digits and dashes, got ${kind.name}`)
  if (kinds.has(kind.name)) fail(`name must be new, got ${kind.name}; choose another`)
  const taken = kindFields()
  for (const [name, field] of Object.entries(kind.options))
    if (taken[name] !== undefined && taken[name] !== field)
      fail(
        `option ${name} of ${kind.name} must be the field of the same name in another kind, got a different one; share that field, or rename the option`,
      )
  kinds.set(kind.name, kind)
  return () => {
    kinds.delete(kind.name)
  }
}

/** All kinds, in the order of registration. */
export const attentionKinds = (): readonly AttentionKind[] => Array.from(kinds.values())

/** The kind with this name. Undefined if none is registered. */
export const findAttentionKind = (name: string): AttentionKind | undefined => kinds.get(name)

/** The kind with this name. Throws if none is registered; the error lists the names. */
export function attentionKind(name: string): AttentionKind {
  const kind = kinds.get(name)
  if (!kind)
    throw new Error(
      `config: attention must be one of ${Array.from(kinds.keys()).join(', ')}, got ${JSON.stringify(name)}; correct it, or register the kind`,
    )
  return kind
}

/** The options of all kinds. */
export const kindFields = (): Readonly<Record<string, Field>> =>
  Object.assign({}, ...attentionKinds().map(({ options }) => options))

for (const kind of [tau, dot, dotWindow]) registerAttentionKind(kind)
