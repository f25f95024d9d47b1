import { writeManifold } from '@tau/graph'
import { createModel, type GPT, resolveConfig, saveModel } from '@tau/model'
import type { Device } from '@tau/tensor'
import { type FolderPlace, type Store, storeAt } from '@tau/tensor/files'
import { trainThroughDeviceLoss } from '../loop/device-loss.ts'
import type { TrainResult } from '../loop/train.ts'
import { MetricsFile } from '../metrics/file.ts'
import type { MetricsRecord, RunRecord } from '../metrics/records.ts'
import { saveTokenizer } from '../tokenizer/file.ts'
import { type PreparedRun, prepareRun, type Stages } from './prepare.ts'
import { filesOfRun, RUN_FILES } from './run-files.ts'
import { sampleText } from './sample.ts'
import { type RunOptions, type RunSettings, runSettings } from './settings.ts'

export interface RunTask {
  /** Folder of the run. Undefined: nothing is written. */
  readonly out?: FolderPlace | undefined
  /** Whether a new run replaces the files of an old run in the folder. Default false. */
  readonly overwrite?: boolean
  /** Text of run.yaml. Default: the settings as JSON, which is also YAML. */
  readonly settingsText?: string
  /** Configuration for the first record. Default: the settings. */
  readonly config?: unknown
  /** Versions that the results may depend on, for the first record. */
  readonly versions?: Readonly<Record<string, string>>
  /** Opens another device when this one is lost. Default: the run ends with the error. */
  readonly reopen?: () => Promise<Device>
  /** Aborting ends the run after the step in progress. */
  readonly signal?: AbortSignal
  /** Called with every line of metrics.jsonl when it is written. The run waits for the promise. */
  readonly onRecord?: (record: MetricsRecord) => void | Promise<void>
  /** Called before the run goes on from `step` with `model`, which is on another device. */
  readonly onDeviceLost?: (error: Error, model: GPT, step: number) => void | Promise<void>
}

export interface FinishedRun {
  readonly result: TrainResult
  /** The trained model, on the last device that was opened. The caller disposes it. */
  readonly model: GPT
}

/** Trains a run that {@link prepareRun} or {@link prepareResume} prepared, and writes its folder. run.yaml
 *  and tokenizer.json are written first, metrics.jsonl and checkpoints during the run, and the model at the
 *  end. Throws if a new run finds an old run in the folder. With `overwrite` it deletes the files of that run,
 *  and nothing else. */
export async function trainRun(
  run: PreparedRun,
  settings: RunSettings,
  task: RunTask = {},
): Promise<FinishedRun> {
  const { tokenizer, data, origin, resume } = run
  const { signal, onRecord, onDeviceLost } = task
  const store = task.out === undefined ? undefined : storeAt(task.out)
  const startStep = resume?.state.step ?? 0
  const metrics = store && (await beginFolder(store, run, settings, task))
  const record = async (line: MetricsRecord) => {
    await metrics?.append(line)
    await onRecord?.(line)
  }
  await record(runRecord(run, settings, task, startStep))
  const checkpoints = store?.folder(RUN_FILES.checkpoints)
  const finished = await trainThroughDeviceLoss({
    model: run.model,
    resume,
    checkpoints,
    task: (model, resume) => ({
      model,
      data,
      options: settings.train,
      ...(checkpoints && { checkpoints }),
      ...(resume && { resume }),
      ...(signal && { signal }),
      onRecord: record,
      sample: (step) => sampleText(model, tokenizer, settings.sample, settings.train.seed, step),
    }),
    ...(task.reopen && { reopen: task.reopen }),
    restart: (device) => freshModel(device, run, settings),
    onDeviceLost: async (error, model, step) => {
      await onDeviceLost?.(error, model, step)
      await metrics?.rewindTo(step > 0 ? step : -1) // the run starts again, so no record of the first attempt stays
      await record(runRecord({ ...run, model }, settings, task, step))
    },
  })
  if (store) await saveModel(finished.model, store, { origin })
  return finished
}

/** Text → tokenizer → manifold → model → training → a folder. `loadModel`, `loadTokenizer` and the command
 *  `tau` read this folder. If no folder is named, everything stays in memory. The text is saved in the
 *  folder, because a resumed run needs it. Throws if the folder holds a run already. */
export async function trainText(
  device: Device,
  text: string,
  { stages, ...options }: RunOptions & RunTask & { readonly stages?: Stages } = {},
): Promise<FinishedRun & Pick<PreparedRun, 'tokenizer'>> {
  const settings = await withText(runSettings(options), text, options.out)
  const run = await prepareRun(device, settings, { text, ...(stages && { stages }) })
  return { ...(await trainRun(run, settings, options)), tokenizer: run.tokenizer }
}

/** Name of the text that {@link trainText} keeps in the folder of a run. */
const CORPUS = 'corpus.txt'

async function withText(
  settings: RunSettings,
  text: string,
  out: FolderPlace | undefined,
): Promise<RunSettings> {
  if (out === undefined) return settings
  const store = storeAt(out)
  const old = await filesOfRun(store)
  if (old.length > 0)
    throw new Error(
      `trainText: ${store.path} must not hold a run already, got ${old.join(', ')}; choose another folder, or delete this one`,
    )
  await store.write([{ name: CORPUS, content: text }])
  const file =
    typeof out === 'string'
      ? process.getBuiltinModule('node:path').resolve(out, CORPUS)
      : `${store.path}/${CORPUS}`
  return { ...settings, data: { ...settings.data, files: [file] } }
}

/** Writes the files that the folder needs before the first step. */
async function beginFolder(
  store: Store,
  { tokenizer, model, origin, resume }: PreparedRun,
  settings: RunSettings,
  { overwrite = false, settingsText }: RunTask,
): Promise<MetricsFile> {
  const metrics = new MetricsFile({ store, name: RUN_FILES.metrics })
  const old = resume ? [] : await filesOfRun(store)
  if (old.length > 0 && !overwrite)
    throw new Error(
      `trainRun: ${store.path} must not hold a run already, got ${old.join(', ')}; choose another folder or set overwrite`,
    )
  for (const name of old) await store.remove(name)
  const content = settingsText ?? `${JSON.stringify({ ...flat(settings), out: store.path }, null, 2)}\n`
  await store.write([{ name: RUN_FILES.config, content }])
  await saveTokenizer(tokenizer, { store, name: RUN_FILES.tokenizer })
  if (resume) await metrics.rewindTo(resume.state.step)
  // Written before the first checkpoint, because a resumed run reads the origin of the Laplacian from this
  // folder.
  if (model.laplacian && origin) await writeManifold(store, { laplacian: model.laplacian.csr, ...origin })
  return metrics
}

/** The settings in the form of run.yaml: the options of the optimizer stand beside its name. JSON writes
 *  Infinity ("no limit") as null. */
function flat({ train, ...settings }: RunSettings): object {
  const {
    optimizer: { name, ...options },
    ...rest
  } = train
  return { ...settings, train: { ...rest, optimizer: name, ...options } }
}

/** The model as it was at the beginning, on another device. */
function freshModel(device: Device, { model, tokenizer }: PreparedRun, settings: RunSettings): GPT {
  const laplacian = model.laplacian?.csr
  return createModel(device, resolveConfig({ ...settings.model, vocabSize: tokenizer.vocabSize }), {
    ...(laplacian && { laplacian }),
    seed: settings.train.seed,
  })
}

function runRecord(
  { model, data }: PreparedRun,
  settings: RunSettings,
  { config = { ...settings, model: model.config }, versions = {} }: RunTask,
  step: number,
): RunRecord {
  return {
    kind: 'run',
    time: new Date().toISOString(),
    step,
    versions,
    device: model.device.info,
    config,
    parameters: model.parameterCount,
    bytesPerToken: data.bytesPerToken,
    trainTokens: data.train.length,
    valTokens: data.val.length,
  }
}
