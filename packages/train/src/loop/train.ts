import { calibrateModel, type GPT } from '@tau/model'
import {
  latestCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
  type TrainingState,
} from '../checkpoint/checkpoint.ts'
import { EvalBatches, TokenBatches } from '../data/batches.ts'
import type { EndRecord, EvalRecord, MetricsRecord, StepRecord } from '../metrics/records.ts'
import { AdamW } from '../optim/adamw.ts'
import { learningRate } from '../optim/schedule.ts'
import { DivergedError, explainDivergence } from './diverged.ts'
import { bitsPerByte, evaluate } from './evaluate.ts'
import { headStatistics } from './head-statistics.ts'
import { checkTrainOptions, type TrainOptions } from './options.ts'
import { trainStep } from './step.ts'

/** Token ids of a text: what to train on and what is held out. */
export interface TrainData {
  readonly train: Int32Array
  readonly val: Int32Array
  /** UTF-8 bytes per token of the held-out text. */
  readonly bytesPerToken: number
}

export interface TrainTask {
  /** Changed in place. */
  readonly model: GPT
  readonly data: TrainData
  readonly options: TrainOptions
  /** Where checkpoints go; undefined: none are saved. */
  readonly checkpoints?: string
  /** Continues from a saved state: see {@link resumeFrom}. */
  readonly resume?: ResumePoint
  /** Aborting ends the run after the step in progress, with a checkpoint. */
  readonly signal?: AbortSignal
  /** Every line of metrics.jsonl but the first, as it comes about; awaited. */
  readonly onRecord?: (record: MetricsRecord) => void | Promise<void>
  /** Makes the text of a sample record. */
  readonly sample?: (step: number) => Promise<{ prompt: string; text: string }>
}

export interface TrainResult {
  readonly step: number
  readonly reason: EndRecord['reason']
  readonly valLoss: number
  readonly valBpb: number
  /** The last checkpoint's directory. */
  readonly checkpoint: string | undefined
}

/** A checkpoint taken up: its model and what continues the run. */
export interface ResumePoint {
  readonly model: GPT
  readonly state: TrainingState
  restore(optimizer: AdamW): void
}

/** The newest checkpoint of a run, or undefined when there is none yet. */
export async function resumeFrom(
  device: GPT['device'],
  checkpoints: string,
): Promise<ResumePoint | undefined> {
  const dir = await latestCheckpoint(checkpoints)
  return dir === undefined ? undefined : loadCheckpoint(device, dir)
}

/** Trains a model: AdamW with warm-up and cosine, clipping, accumulation, evaluation, statistics and checkpoints. Given the
 *  same seed and backend a run is the same to the bit, interrupted and resumed or not.
 *  Throws {@link DivergedError} when loss or gradients stop being finite; the parameters are then those before the step. */
export async function train(task: TrainTask): Promise<TrainResult> {
  checkTrainOptions(task.options)
  using run = new TrainingRun(task)
  return await run.run() // awaited here: the run is disposed when this function ends
}

class TrainingRun implements Disposable {
  readonly #task: TrainTask
  readonly #optimizer: AdamW
  readonly #batches: TokenBatches
  readonly #evalBatches: EvalBatches
  #step: number
  #tokens: number
  #checkpoint: string | undefined
  #lastEval: EvalRecord | undefined

  constructor(task: TrainTask) {
    const { model, data, options, resume } = task
    const { seqLen } = model.config
    const { batchSize, seed } = options
    if (resume && resume.state.seed !== seed)
      throw new Error(
        `train: seed must be the resumed run's ${resume.state.seed}, got ${seed}; the data order depends on it`,
      )
    this.#task = task
    this.#batches = new TokenBatches({ ids: data.train, seqLen, batchSize, seed })
    this.#evalBatches = new EvalBatches({ ids: data.val, seqLen, batchSize })
    this.#optimizer = new AdamW(model.parameters, options)
    resume?.restore(this.#optimizer)
    this.#step = resume?.state.step ?? 0
    this.#tokens = resume?.state.tokens ?? 0
  }

  async run(): Promise<TrainResult> {
    const { options, signal } = this.#task
    const started = performance.now()
    let reason: EndRecord['reason'] = 'finished'
    if (this.#step === 0) await this.#report(0)
    while (this.#step < options.steps) {
      if (signal?.aborted) {
        reason = 'interrupted'
        break
      }
      await this.#advance()
      await this.#report(options.steps)
      if (due(this.#step, options.checkpointEvery) && this.#step < options.steps) await this.#save()
    }
    await this.#save()
    const { valLoss, valBpb } =
      reason === 'finished' && this.#lastEval?.step === this.#step ? this.#lastEval : await this.#evaluate()
    const seconds = (performance.now() - started) / 1000
    await this.#emit({ kind: 'end', time: new Date().toISOString(), step: this.#step, reason, seconds })
    return { step: this.#step, reason, valLoss, valBpb, checkpoint: this.#checkpoint }
  }

  /** One optimizer step. */
  async #advance(): Promise<void> {
    const { model, options } = this.#task
    const { batchSize, accumulate } = options
    const started = performance.now()
    await this.#calibrate()
    const lr = learningRate(this.#step, {
      peak: options.lr,
      floor: options.minLr,
      warmup: options.warmup,
      total: options.steps,
    })
    const batches = Array.from({ length: accumulate }, (_, i) =>
      this.#batches.batch(this.#step * accumulate + i),
    )
    const result = trainStep(model, this.#optimizer, batches, batchSize, lr)
    try {
      const [loss, gradNorm] = await Promise.all([result.loss.item(), result.norm.item()])
      if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) await this.#fail(result.grads, loss, gradNorm)
      this.#step++
      this.#tokens += accumulate * batchSize * model.config.seqLen
      const stepMs = performance.now() - started
      const tokensPerSec = (accumulate * batchSize * model.config.seqLen * 1000) / stepMs
      const record: StepRecord = {
        kind: 'step',
        step: this.#step,
        loss,
        lr,
        gradNorm,
        tokens: this.#tokens,
        tokensPerSec,
        stepMs,
      }
      await this.#emit(record)
    } finally {
      for (const tensor of [result.loss, result.norm, ...result.grads]) tensor.dispose()
    }
  }

  /** Evaluation, head statistics and samples that are due at this step. */
  async #report(last: number): Promise<void> {
    const { model, options, sample } = this.#task
    const step = this.#step
    if (due(step, options.evalEvery) || step === last) this.#lastEval = await this.#evaluate()
    if (due(step, options.headsEvery)) {
      const { tokens } = this.#evalBatches.batch(0)
      await this.#emit({
        kind: 'heads',
        step,
        layers: await headStatistics(model, tokens, options.batchSize),
      })
    }
    if (sample && (due(step, options.sampleEvery) || (step === last && step > 0)))
      await this.#emit({ kind: 'sample', step, ...(await sample(step)) })
  }

  async #evaluate(): Promise<EvalRecord> {
    const { model, data, options } = this.#task
    const { loss, tokens } = await evaluate(model, this.#evalBatches, options.evalTokens)
    const record: EvalRecord = {
      kind: 'eval',
      step: this.#step,
      valLoss: loss,
      valBpb: bitsPerByte(loss, data.bytesPerToken),
      tokens,
    }
    await this.#emit(record)
    return record
  }

  /** Adaptive τ follows the model: from the batch of this step, so that a resumed run does the same. */
  async #calibrate(): Promise<void> {
    const { model, options } = this.#task
    const { attention, tauMode } = model.config
    if (attention !== 'tau' || tauMode !== 'adaptive' || this.#step % options.calibrateEvery !== 0) return
    using tokens = model.device.unscoped(() =>
      model.tokens(this.#batches.batch(this.#step * options.accumulate).tokens, options.batchSize),
    )
    await calibrateModel(model, tokens)
  }

  async #save(): Promise<void> {
    const { model, checkpoints, options } = this.#task
    if (checkpoints === undefined) return
    this.#checkpoint = await saveCheckpoint(checkpoints, model, this.#optimizer, {
      step: this.#step,
      tokens: this.#tokens,
      seed: options.seed,
    })
  }

  async #fail(
    grads: Parameters<typeof explainDivergence>[1],
    loss: number,
    gradNorm: number,
  ): Promise<never> {
    const { model, checkpoints } = this.#task
    const lastGood =
      this.#checkpoint ?? (checkpoints === undefined ? undefined : await latestCheckpoint(checkpoints))
    const error = new DivergedError(
      this.#step + 1,
      await explainDivergence(model, grads, loss, gradNorm),
      lastGood,
    )
    await this.#emit({
      kind: 'end',
      time: new Date().toISOString(),
      step: this.#step,
      reason: 'diverged',
      seconds: 0,
    })
    throw error
  }

  async #emit(record: MetricsRecord): Promise<void> {
    await this.#task.onRecord?.(record)
  }

  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]()
  }
}

const due = (step: number, every: number): boolean => every > 0 && step % every === 0
