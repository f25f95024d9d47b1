import { MODEL_FILES } from '@tau/model'
import type { Store } from '@tau/tensor/files'

/** Names inside a run's folder, besides those of the model package. */
export const RUN_FILES = {
  config: 'run.yaml',
  tokenizer: 'tokenizer.json',
  metrics: 'metrics.jsonl',
  report: 'report.html',
  checkpoints: 'checkpoints',
} as const

/** The files of the run that a folder holds, model included; none if it holds no run. */
export async function filesOfRun(folder: Store): Promise<string[]> {
  const own = new Set<string>([...Object.values(RUN_FILES), ...Object.values(MODEL_FILES)])
  const files = (await folder.list()).filter((name) => own.has(name))
  return files.includes(RUN_FILES.metrics) || files.includes(RUN_FILES.checkpoints) ? files : []
}
