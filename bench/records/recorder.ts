import type { GroupContext } from '../registry.ts'
import type { Measurements, PeerNote } from './record.ts'

/** The part of a group's context that fills the record. */
type Noted = Pick<GroupContext, 'metric' | 'skip' | 'peer' | 'adapter'>

/** Collects what groups measure. `line` prints a line at once. */
export class Recorder implements Noted {
  readonly #metrics: Record<string, number> = {}
  readonly #spread: Record<string, number> = {}
  readonly #peers: Record<string, PeerNote> = {}
  readonly #skipped: Record<string, string> = {}
  readonly #line: (text: string) => void
  #adapter: string | undefined

  constructor(line: (text: string) => void) {
    this.#line = line
  }

  readonly metric = (name: string, value: number, spread?: number): void => {
    if (!Number.isFinite(value))
      throw new Error(`bench: a metric must be a finite number, got ${value} for ${name}`)
    this.#metrics[name] = Number(value.toPrecision(6))
    if (spread !== undefined) this.#spread[name] = Number(spread.toPrecision(3))
  }

  readonly skip = (what: string, reason: string): void => {
    this.#skipped[what] = reason
    this.#line(`skipped: ${what}: ${reason}`)
  }

  readonly peer = (name: string, note: PeerNote): void => {
    this.#peers[name] = note
  }

  readonly adapter = (name: string): void => {
    this.#adapter = name
    this.#line(`adapter: ${name}`)
  }

  readonly measurements = (): Measurements => {
    return {
      ...{ metrics: this.#metrics, spread: this.#spread, peers: this.#peers, skipped: this.#skipped },
      ...(this.#adapter !== undefined && { adapter: this.#adapter }),
    }
  }
}
