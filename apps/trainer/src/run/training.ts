import { join } from 'node:path'
import { type Csr, type ManifoldOrigin, writeManifold } from '@tau/graph'
import { createModel, type GPT, resolveConfig, saveModel } from '@tau/model'
import type { Device } from '@tau/tensor'
import { writeFileAtomic } from '@tau/tensor/files'
import {
  MetricsFile,
  type MetricsRecord,
  type ResumePoint,
  saveTokenizer,
  type Tokenizer,
  type TrainData,
  type TrainResult,
  trainThroughLosses,
} from '@tau/train'
import { trainOptions } from '../config/config.ts'
import { configYaml, expandConfig } from '../config/print.ts'
import type { Config } from '../config/schema.ts'
import { type Io, say } from '../io.ts'
import { Progress } from '../progress.ts'
import { deviceText } from './device.ts'
import { clearRun, RUN_FILES, writeReport } from './folder.ts'
import { sampleText } from './sample.ts'
import { versions } from './versions.ts'

/** Everything a run needs, ready. */
export interface Training {
  readonly config: Config
  /** Absolute folder of the run. */
  readonly out: string
  readonly model: GPT
  readonly tokenizer: Tokenizer
  readonly data: TrainData
  /** Where the model's Laplacian came from, for manifold.json. */
  readonly origin?: ManifoldOrigin | undefined
  readonly resume?: ResumePoint
}

/** A fresh model for the configuration; the tokenizer decides its vocabulary. */
export function freshModel(
  device: Device,
  config: Config,
  vocabSize: number,
  laplacian: Csr | undefined,
): GPT {
  return createModel(device, resolveConfig({ ...config.model, vocabSize }), {
    ...(laplacian && { laplacian }),
    seed: config.train.seed,
  })
}

/** Trains and writes the run's folder: run.yaml and tokenizer.json first, metrics.jsonl as it goes, checkpoints, and at the end, however
 *  it comes, the model and report.html. When the device is lost, `reopen` gives another, and the run goes on from its last checkpoint.
 *  The model that is returned is on the last device. */
export async function runTraining(
  training: Training,
  reopen: () => Promise<Device>,
  io: Io,
): Promise<{ result: TrainResult; model: GPT }> {
  const { config, out, model, tokenizer, data, origin, resume } = training
  const checkpoints = join(out, RUN_FILES.checkpoints)
  const metrics = new MetricsFile(join(out, RUN_FILES.metrics))
  const startStep = resume?.state.step ?? 0
  if (!resume) await clearRun(out)
  await writeFileAtomic(join(out, RUN_FILES.config), configYaml(config))
  await saveTokenizer(tokenizer, join(out, RUN_FILES.tokenizer))
  if (resume) await metrics.rewindTo(startStep)
  // Before the first checkpoint too the folder says what the Laplacian is: a resumed run reads it from here.
  if (model.laplacian && origin) await writeManifold(out, { laplacian: model.laplacian.csr, ...origin })
  await metrics.append(runRecord(training, startStep))
  const progress = new Progress({ stream: io.stderr, totalSteps: config.train.steps, startStep })
  const onRecord = async (record: MetricsRecord) => {
    await metrics.append(record)
    progress.record(record)
    if (record.kind === 'sample' && io.stderr.isTTY)
      progress.note(`\n— step ${record.step} —\n${record.prompt}${record.text}\n`)
  }
  try {
    const last = await trainThroughLosses({
      model,
      resume,
      checkpoints,
      task: (model, resume) => ({
        model,
        data,
        options: trainOptions(config),
        checkpoints,
        ...(resume && { resume }),
        signal: io.signal,
        onRecord,
        sample: (step) => sampleText(model, tokenizer, config, step),
      }),
      reopen,
      restart: (device) => freshModel(device, config, tokenizer.vocabSize, model.laplacian?.csr),
      onLost: async ({ message }, model, step) => {
        const { info } = model.device
        progress.note(`\n${message}\ngoing on from step ${step} on ${deviceText(info)}\n`)
        await metrics.rewindTo(step > 0 ? step : -1) // begun again: nothing of the first time stays
        await metrics.append(runRecord({ ...training, model }, step))
      },
    })
    progress.end()
    await saveModel(last.model, out, { origin })
    return last
  } finally {
    progress.end()
    const report = await writeReport(out)
    say(io, `report: ${report}`)
  }
}

function runRecord({ config, model, data }: Training, step: number): MetricsRecord {
  const { vocabSize } = model.config
  const expanded = expandConfig(config)
  return {
    kind: 'run',
    time: new Date().toISOString(),
    step,
    versions: versions(),
    device: model.device.info,
    config: { ...expanded, model: { ...expanded.model, vocabSize } },
    parameters: model.parameterCount,
    bytesPerToken: data.bytesPerToken,
    trainTokens: data.train.length,
    valTokens: data.val.length,
  }
}
