import { MODEL_FILES } from '@tau/model'
import type { Store } from '@tau/tensor/files'

/** Names of files in the folder of a run. The names of model files are in MODEL_FILES of @tau/model. */
export const RUN_FILES = {
  config: 'run.yaml',
  tokenizer: 'tokenizer.json',
  metrics: 'metrics.jsonl',
  report: 'report.html',
  checkpoints: 'checkpoints',
} as const

/** The files of the run in a folder, including the model; an empty list if the folder holds no run. */
export async function filesOfRun(folder: Store): Promise<string[]> {
  const own = new Set<string>([...Object.values(RUN_FILES), ...Object.values(MODEL_FILES)])
  const files = (await folder.list()).filter((name) => own.has(name))
  return files.includes(RUN_FILES.metrics) || files.includes(RUN_FILES.checkpoints) ? files : []
}
