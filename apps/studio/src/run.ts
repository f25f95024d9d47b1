import { createModel, type GPT, manifoldDim, resolveConfig } from '@tau/model'
import type { Device } from '@tau/tensor'
import { type MetricsRecord, splitHeldOut, type TrainData, trainThroughLosses } from '@tau/train'
import {
  type Config,
  embeddingsOfText,
  laplacianOf,
  learnTokenizer,
  mobyDick,
  sampleText,
  tokenize,
  trainingFlops,
  trainOptions,
} from '@tau/trainer'
import { configOf } from './config.ts'
import { openDevice } from './device.ts'
import type { Settings } from './messages.ts'

export interface Watcher {
  /** What is being done before the first step. */
  stage(text: string): void
  /** As the training loop's, with the run's own record first; awaited. */
  record(record: MetricsRecord): Promise<void>
}

/** The demo, in a page or in Node: text → tokenizer → Laplacian → model → training, until it is done or `signal` aborts it. A device that is
 *  lost is opened again, and the run begins again. */
export async function run(settings: Settings, watcher: Watcher, signal: AbortSignal): Promise<void> {
  const config = configOf(settings)
  const devices: Device[] = []
  const open = async () => {
    const device = await openDevice(settings.backend, trainingFlops(config))
    devices.push(device)
    return device
  }
  try {
    watcher.stage('opening the device')
    const device = await open()
    watcher.stage('reading the text')
    const texts = splitHeldOut(settings.text ?? (await mobyDick()), config.data.heldOut)
    watcher.stage('learning a tokenizer from the text')
    const resolved = resolveConfig({ ...config.model })
    const tokenizer = learnTokenizer(config.tokenizer.vocabSize ?? resolved.vocabSize, texts)
    const data = tokenize(texts, tokenizer)
    watcher.stage('building the Laplacian of its words')
    const modelConfig = resolveConfig({ ...config.model, vocabSize: tokenizer.vocabSize })
    const embeddings = embeddingsOfText(config.manifold, texts.train)
    const { laplacian } = await laplacianOf(config.manifold, manifoldDim(modelConfig), embeddings)
    const create = (on: Device) => createModel(on, modelConfig, { laplacian, seed: config.train.seed })
    const model = create(device)
    await watcher.record(runRecord(config, model, data))
    await trainThroughLosses({
      model,
      checkpoints: undefined,
      task: (model) => ({
        model,
        data,
        options: trainOptions(config),
        signal,
        onRecord: (record) => watcher.record(record),
        sample: (step) => sampleText(model, tokenizer, config, step),
      }),
      reopen: open,
      restart: create,
      onLost: ({ message }, model) => {
        watcher.stage(`${message}; begun again`)
        return watcher.record(runRecord(config, model, data))
      },
    })
  } finally {
    for (const device of devices) await device.close()
  }
}

function runRecord(config: Config, model: GPT, data: TrainData): MetricsRecord {
  return {
    kind: 'run',
    time: new Date().toISOString(),
    step: 0,
    versions: { browser: navigator.userAgent },
    device: model.device.info,
    config: { ...config, model: model.config },
    parameters: model.parameterCount,
    bytesPerToken: data.bytesPerToken,
    trainTokens: data.train.length,
    valTokens: data.val.length,
  }
}
