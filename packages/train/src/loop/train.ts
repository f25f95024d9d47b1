import { calibrateModel, type GPT, recalibrates } from '@tau/model'
import type { FolderPlace, Store } from '@tau/tensor/files'
import type { Optimizer } from '@tau/tensor/optim'
import {
  type LoadedCheckpoint,
  latestCheckpoint,
  loadCheckpoint,
  saveCheckpoint,
} from '../checkpoint/checkpoint.ts'
import { EvalBatches, TokenBatches } from '../data/batches.ts'
import type { EndRecord, EvalRecord, MetricsRecord, StepRecord } from '../metrics/records.ts'
import { DivergedError, findNonFinite } from './diverged.ts'
import { bitsPerByte, evaluate } from './evaluate.ts'
import { headStatistics } from './head-statistics.ts'
import { modelOptimizer } from './optimizer.ts'
import { checkTrainOptions, type TrainOptions } from './options.ts'
import { learningRate } from './schedule.ts'
import { trainStep } from './step.ts'

/** Token ids of a text: the training part and the held-out part. */
export interface TrainData {
  readonly train: Int32Array
  readonly val: Int32Array
  /** UTF-8 bytes per token of the held-out text. */
  readonly bytesPerToken: number
}

export interface TrainTask {
  /** The model. Its parameters are changed in place. */
  readonly model: GPT
  readonly data: TrainData
  readonly options: TrainOptions
  /** Folder of the checkpoints, a path or a store. Undefined: no checkpoint is saved. */
  readonly checkpoints?: FolderPlace
  /** Continues from a saved state: see {@link resumeFrom}. */
  readonly resume?: ResumePoint
  /** If it is aborted, the run finishes the current step, saves a checkpoint and ends. */
  readonly signal?: AbortSignal
  /** Called with every line of metrics.jsonl except the first, when it arises. The run waits for the
   *  promise. */
  readonly onRecord?: (record: MetricsRecord) => void | Promise<void>
  /** Makes the text of a sample record. */
  readonly sample?: (step: number) => Promise<{ prompt: string; text: string }>
}

export interface TrainResult {
  readonly step: number
  readonly reason: EndRecord['reason']
  readonly valLoss: number
  readonly valBpb: number
  /** Folder of the last checkpoint. */
  readonly checkpoint: Store | undefined
}

/** A loaded checkpoint: the model to train on, and the state that the run continues from. */
export type ResumePoint = LoadedCheckpoint

/** Loads the newest checkpoint of a run. Undefined if there is none yet. The caller disposes the model. */
export async function resumeFrom(
  device: GPT['device'],
  checkpoints: FolderPlace,
): Promise<ResumePoint | undefined> {
  const folder = await latestCheckpoint(checkpoints)
  return folder === undefined ? undefined : loadCheckpoint(device, folder)
}

/** Trains a model: warm-up and cosine, clipping, accumulation, evaluation, statistics and checkpoints. The
 *  same seed and backend give the same run to the bit, also if it is interrupted and resumed.
 *
 *   Order of records: at step 0 `eval`, `heads` and `sample`. Then for each step a `step` record, and those
 *   of the other three that are due. The checkpoint is saved after them, so a checkpoint of step N covers all
 *   records up to N. The `end` record is last.
 *
 *   Throws {@link DivergedError} if the loss or a gradient is not finite. The parameters are then those
 *   before the step. A checkpoint never holds a parameter that is not finite. */
export async function train(task: TrainTask): Promise<TrainResult> {
  checkTrainOptions(task.options)
  using run = new TrainingRun(task)
  return await run.run() // awaited here, because the run is disposed when this function ends
}

class TrainingRun implements Disposable {
  readonly #task: TrainTask
  readonly #optimizer: Optimizer
  readonly #batches: TokenBatches
  readonly #evalBatches: EvalBatches
  readonly #started = performance.now()
  #step: number
  #tokens: number
  /** The newest checkpoint of this run, and its step. */
  #saved: { readonly step: number; readonly folder: Store } | undefined
  #lastEval: EvalRecord | undefined

  constructor(task: TrainTask) {
    const { model, data, options, resume } = task
    const { seqLen } = model.config
    const { batchSize, seed } = options
    if (resume && resume.state.seed !== seed)
      throw new Error(
        `train: seed must be ${resume.state.seed}, the seed of the resumed run, got ${seed}; pass that seed, because the order of the data depends on it`,
      )
    if (resume && resume.model !== model)
      throw new Error('train: model must be the model of the resume point, got another; pass resume.model')
    if (!(data.bytesPerToken > 0 && Number.isFinite(data.bytesPerToken)))
      throw new RangeError(
        `train: bytesPerToken must be a finite number above 0, got ${data.bytesPerToken}; divide the bytes of the held-out text by its tokens`,
      )
    this.#task = task
    this.#batches = new TokenBatches({ ids: data.train, seqLen, batchSize, seed })
    this.#evalBatches = new EvalBatches({ ids: data.val, seqLen, batchSize })
    this.#step = resume?.state.step ?? 0
    this.#tokens = resume?.state.tokens ?? 0
    this.#optimizer = modelOptimizer(model, options)
    try {
      resume?.restore(this.#optimizer)
    } catch (error) {
      this.#optimizer[Symbol.dispose]()
      throw error
    }
  }

  async run(): Promise<TrainResult> {
    const { options, signal } = this.#task
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
    const { valLoss, valBpb } = this.#lastEval?.step === this.#step ? this.#lastEval : await this.#evaluate()
    await this.#end(reason)
    return { step: this.#step, reason, valLoss, valBpb, checkpoint: this.#saved?.folder }
  }

  /** One optimizer step. */
  async #advance(): Promise<void> {
    const { model, options } = this.#task
    const { batchSize, accumulate, checkpointActivations } = options
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
    const result = trainStep(model, this.#optimizer, batches, batchSize, lr, { checkpointActivations })
    try {
      const [loss, gradNorm] = await Promise.all([result.loss.item(), result.norm.item()])
      if (!Number.isFinite(loss) || !Number.isFinite(gradNorm)) {
        const culprit = await findNonFinite(model, result.grads)
        const why = culprit ?? 'every parameter and gradient is finite, but the sum of squares is not'
        await this.#fail(this.#step + 1, `loss ${loss} and gradient norm ${gradNorm} (${why})`)
      }
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
      const { tokens, rows } = this.#probeTokens()
      await this.#emit({ kind: 'heads', step, layers: await headStatistics(model, tokens, rows) })
    }
    if (sample && options.sampleEvery > 0 && (due(step, options.sampleEvery) || (step === last && step > 0)))
      await this.#emit({ kind: 'sample', step, ...(await sample(step)) })
  }

  /** The full windows of the first held-out batch. If the text does not fill one window, the whole text. */
  #probeTokens(): { tokens: Int32Array; rows: number } {
    const { seqLen } = this.#task.model.config
    const { tokens, targetCount } = this.#evalBatches.batch(0)
    const rows = Math.floor(targetCount / seqLen)
    return rows > 0
      ? { tokens: tokens.subarray(0, rows * seqLen), rows }
      : { tokens: tokens.subarray(0, targetCount), rows: 1 }
  }

  async #evaluate(): Promise<EvalRecord> {
    const { model, data, options } = this.#task
    const { loss, tokens } = await evaluate(model, this.#evalBatches, options.evalTokens)
    if (!Number.isFinite(loss)) {
      const culprit = await findNonFinite(model, [])
      await this.#fail(this.#step, `validation loss ${loss} (${culprit ?? 'every parameter is finite'})`)
    }
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

  /** Recalibrates an adaptive τ, if it is due. Uses the batch of this step, so a resumed run gets the same
   *  τ. */
  async #calibrate(): Promise<void> {
    const { model, options } = this.#task
    if (!recalibrates(model) || this.#step % options.calibrateEvery !== 0) return
    using tokens = model.device.unscoped(() =>
      model.tokens(this.#batches.batch(this.#step * options.accumulate).tokens, options.batchSize),
    )
    await calibrateModel(model, tokens)
  }

  async #save(): Promise<void> {
    const { model, checkpoints, options } = this.#task
    const step = this.#step
    if (checkpoints === undefined || this.#saved?.step === step) return
    // Checked here, because the loss of the step was computed before the update.
    const culprit = await findNonFinite(model, [])
    if (culprit) await this.#fail(step, culprit)
    const state = { step, tokens: this.#tokens, seed: options.seed }
    this.#saved = { step, folder: await saveCheckpoint(checkpoints, model, this.#optimizer, state) }
  }

  async #fail(step: number, what: string): Promise<never> {
    const { checkpoints, resume } = this.#task
    // If the run was not resumed, a checkpoint in the folder belongs to another run.
    const resumed = resume && checkpoints !== undefined ? await latestCheckpoint(checkpoints) : undefined
    await this.#end('diverged')
    throw new DivergedError(step, what, (this.#saved?.folder ?? resumed)?.path)
  }

  async #end(reason: EndRecord['reason']): Promise<void> {
    const seconds = (performance.now() - this.#started) / 1000
    await this.#emit({ kind: 'end', time: new Date().toISOString(), step: this.#step, reason, seconds })
  }

  async #emit(record: MetricsRecord): Promise<void> {
    await this.#task.onRecord?.(record)
  }

  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]()
  }
}

const due = (step: number, every: number): boolean => every > 0 && step % every === 0
