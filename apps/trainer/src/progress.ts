import { clock } from '@tau/report'
import type { MetricsRecord } from '@tau/train'

/** Stream for the progress line: `process.stderr`, or one of a test. */
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
  /** Clock in milliseconds, with any origin. */
  readonly now?: () => number
}

const REFRESH_MS = 100
/** The mean time of this many last steps predicts the time left. */
const TIMED_STEPS = 50
const LOSS_DECAY = 0.9

/** Shows step, loss, validation loss, learning rate, tokens per second and time left of a run. On a terminal
 *  it is one line that is rewritten. In a file or a pipe it is a plain line for each evaluation. */
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

  /** Writes a text on its own line, above the progress line. */
  note(text: string): void {
    this.#clear()
    this.#stream.write(`${text}\n`)
  }

  /** Draws the last state and ends its line, so it stays on the terminal. */
  end(): void {
    if (!this.#stream.isTTY || !this.#isDrawn) return
    this.#draw()
    this.#stream.write('\n')
    this.#isDrawn = false
  }

  #draw(): void {
    this.#drawnAt = this.#now()
    this.#isDrawn = true
    // Cut to the width of the terminal, because a wrapped line cannot be rewritten.
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

/** Shows the progress of a pass over embeddings. On a terminal it is one line that is rewritten. Elsewhere
 *  nothing is written. */
export const passLine =
  ({ stderr }: { readonly stderr: ProgressStream }) =>
  ({ pass, fraction, rows }: { pass: string; fraction: number; rows: number }): void => {
    if (!stderr.isTTY) return
    const text = `${pass}: ${rows} rows, ${Math.round(100 * fraction)} %`
    stderr.write(`\r${text.slice(0, (stderr.columns ?? 80) - 1)}\x1b[K${fraction === 1 ? '\n' : ''}`)
  }
