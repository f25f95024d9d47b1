import { FormatError } from '@tau/tensor'
import type { TauPolicy } from '../taumode/taumode.ts'
import { hasOwnTau } from './measures.ts'

const FORMAT = 'tau-taumode-index'
const VERSION = 1

/** The content of taumode-index.json: it describes the arrays beside it, and has their size and hash. */
export interface Header {
  /** N and D */
  items: number
  dim: number
  policy: TauPolicy
  /** the shared τ; null if there is none */
  tau: number | null
  eps: number
  dispersion: number
  /** the id of the next item that is added without one */
  next_id: number
  /** size of taumode-index.safetensors */
  size_bytes: number
  sha256: string
}

export const encodeHeader = (header: Header): string =>
  `${JSON.stringify({ format: FORMAT, version: VERSION, ...header }, undefined, 2)}\n`

/** Text → header, checked field by field. Throws FormatError that starts with `source` and names field and
 *  value. */
export const parseHeader = (text: string, source: string): Header => {
  const wrong = (field: string, wanted: string, value: unknown): FormatError =>
    new FormatError(
      `${source}: ${field} must be ${wanted}, got ${String(JSON.stringify(value)).slice(0, 60)}; save the index again`,
    )
  const fields = parseObject(text, source)
  if (fields.format !== FORMAT) throw wrong('format', `"${FORMAT}"`, fields.format)
  if (fields.version !== VERSION)
    throw wrong('version', `${VERSION}, which this release reads`, fields.version)
  const count = (field: string, value: unknown): number => {
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    throw wrong(field, 'an integer of at least 0', value)
  }
  const number = (field: string, value: unknown, high = Number.MAX_VALUE): number => {
    if (typeof value === 'number' && value >= 0 && value <= high) return value
    throw wrong(field, high === 1 ? 'a number between 0 and 1' : 'a finite number of at least 0', value)
  }
  const items = count('items', fields.items)
  const policy = parsePolicy(fields.policy)
  if (!policy)
    throw wrong('policy', 'an object with a known name, and a value if that name needs one', fields.policy)
  const hasTau = policy.name === 'fixed' || (items > 0 && !hasOwnTau(policy))
  const tau = fields.tau === null ? null : number('tau', fields.tau)
  if ((hasTau && !tau) || (hasOwnTau(policy) && tau !== null)) {
    throw wrong('tau', `${hasTau ? 'above 0' : 'null'} for ${items} items with policy ${policy.name}`, tau)
  }
  if (typeof fields.sha256 !== 'string') throw wrong('sha256', 'a string', fields.sha256)
  return {
    items,
    dim: count('dim', fields.dim),
    policy,
    tau,
    eps: number('eps', fields.eps),
    dispersion: number('dispersion', fields.dispersion, 1),
    next_id: count('next_id', fields.next_id),
    size_bytes: count('size_bytes', fields.size_bytes),
    sha256: fields.sha256,
  }
}

const parseObject = (text: string, source: string): Record<string, unknown> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (error) {
    throw new FormatError(
      `${source}: the file must be JSON, got "${(error as Error).message}"; save the index again`,
      {
        cause: error,
      },
    )
  }
  return typeof json === 'object' && json !== null ? { ...json } : {}
}

const parsePolicy = (value: unknown): TauPolicy | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  const { name, value: parameter }: { name?: unknown; value?: unknown } = value
  switch (name) {
    case 'median':
    case 'mean':
    case 'reference-median':
    case 'reference-mean':
      return { name }
    case 'fixed':
    case 'percentile':
      return typeof parameter === 'number' ? { name, value: parameter } : undefined
    default:
      return undefined
  }
}
