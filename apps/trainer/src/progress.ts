import { clock } from '@tau/report'
import type { MetricsRecord } from '@tau/train'

/** What the line is written to: `process.stderr`, or a test's. */
export interface ProgressStream {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): unknown
}

export interface ProgressOptions {
  readonly stream: ProgressStream
  /** Steps of the whole run. */
  readonly totalSteps: number
  /** Step that the run starts from. */
  readonly startStep?: number
  /** Milliseconds, of any origin. */
  readonly now?: () => number
}

const REFRESH_MS = 100
/** Steps whose mean time predicts the rest. */
const TIMED_STEPS = 50
const LOSS_DECAY = 0.9

/** Step, loss, validation loss, learning rate, tokens per second and time left of a run. On a terminal one line that rewrites itself;
 *  elsewhere (a file, a pipe) only a plain line for each evaluation. */
export class Progress {
  readonly #stream: ProgressStream
  readonly #totalSteps: number
  readonly #now: () => number
  readonly #stepMs: number[] = []
  #step: number
  #loss: number | undefined
  #valLoss: number | undefined
  #lr = 0
  #tokensPerSec = 0
  #drawnAt = Number.NEGATIVE_INFINITY
  #isDrawn = false

  constructor({ stream, totalSteps, startStep = 0, now = () => performance.now() }: ProgressOptions) {
    this.#stream = stream
    this.#totalSteps = totalSteps
    this.#step = startStep
    this.#now = now
  }

  record(record: MetricsRecord): void {
    if (record.kind === 'step') {
      this.#step = record.step
      this.#lr = record.lr
      this.#loss =
        this.#loss === undefined ? record.loss : LOSS_DECAY * this.#loss + (1 - LOSS_DECAY) * record.loss
      this.#stepMs.push(record.stepMs)
      if (this.#stepMs.length > TIMED_STEPS) this.#stepMs.shift()
      this.#tokensPerSec = record.tokensPerSec
      if (this.#stream.isTTY && this.#now() - this.#drawnAt >= REFRESH_MS) this.#draw()
    } else if (record.kind === 'eval') {
      this.#valLoss = record.valLoss
      if (this.#stream.isTTY) this.#draw()
      else this.#stream.write(`${this.#text()} · ${record.valBpb.toFixed(3)} bits/byte\n`)
    }
  }

  /** Writes a line of its own above the progress line. */
  note(text: string): void {
    this.#clear()
    this.#stream.write(`${text}\n`)
  }

  /** Leaves the last state on a line of its own. */
  end(): void {
    if (!this.#stream.isTTY || !this.#isDrawn) return
    this.#draw()
    this.#stream.write('\n')
    this.#isDrawn = false
  }

  #draw(): void {
    this.#drawnAt = this.#now()
    this.#isDrawn = true
    // A line that wraps could not be rewritten.
    const width = Math.max(20, (this.#stream.columns ?? 80) - 1)
    this.#stream.write(`\r${this.#text().slice(0, width)}\x1b[K`)
  }

  #clear(): void {
    if (!this.#isDrawn) return
    this.#stream.write('\r\x1b[K')
    this.#isDrawn = false
  }

  #text(): string {
    const parts = [`step ${this.#step}/${this.#totalSteps}`]
    if (this.#loss !== undefined) parts.push(`loss ${this.#loss.toFixed(3)}`)
    if (this.#valLoss !== undefined) parts.push(`val ${this.#valLoss.toFixed(3)}`)
    if (this.#stepMs.length > 0) {
      const mean = this.#stepMs.reduce((sum, ms) => sum + ms, 0) / this.#stepMs.length
      const left = (mean * (this.#totalSteps - this.#step)) / 1000
      parts.push(
        `lr ${this.#lr.toExponential(1)}`,
        `${Math.round(this.#tokensPerSec)} tokens/s`,
        `${clock(left)} left`,
      )
    }
    return parts.join(' · ')
  }
}

/** One line that rewrites itself on a terminal, with the rows of a pass over embeddings; elsewhere nothing. */
export const passLine =
  ({ stderr }: { readonly stderr: ProgressStream }) =>
  ({ pass, fraction, rows }: { pass: string; fraction: number; rows: number }): void => {
    if (!stderr.isTTY) return
    const text = `${pass}: ${rows} rows, ${Math.round(100 * fraction)} %`
    stderr.write(`\r${text.slice(0, (stderr.columns ?? 80) - 1)}\x1b[K${fraction === 1 ? '\n' : ''}`)
  }
