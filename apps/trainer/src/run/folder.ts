import { access, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MODEL_FILES } from '@tau/model'
import { nodeStore, writeFileAtomic } from '@tau/tensor/files'
import { readMetrics } from '@tau/train'
import { UsageError } from '../config/errors.ts'
import { userPath } from '../paths.ts'
import { renderReport } from '../report/page.ts'

/** Names inside a run's folder, besides those of the model package. */
export const RUN_FILES = {
  config: 'run.yaml',
  tokenizer: 'tokenizer.json',
  metrics: 'metrics.jsonl',
  report: 'report.html',
  checkpoints: 'checkpoints',
} as const

export const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Makes the folder of a new run; refuses one that holds a run, unless `overwrite`. Deletes nothing: what the new run needs may lie
 *  there, and it may yet fail to begin. */
export async function openRunFolder(out: string, overwrite: boolean): Promise<void> {
  await mkdir(out, { recursive: true }).catch((error) => {
    throw new UsageError(
      `out: ${out} must be a folder that can be made, got ${error.code ?? error}; choose another`,
    )
  })
  const old = await runIn(out)
  if (old.length > 0 && !overwrite)
    throw new UsageError(
      `out: ${out} must not hold a run already, got ${old.join(', ')}; pass --resume, --overwrite or another --out`,
    )
}

/** The first of `base`, `base-2`, `base-3`, … that is missing or empty. */
export async function freeFolder(base: string): Promise<string> {
  for (let i = 1; ; i++) {
    const folder = i === 1 ? base : `${base}-${i}`
    if ((await nodeStore(folder).list()).length === 0) return folder
  }
}

/** Clears a folder of the run in it, model included; other files are left alone. */
export async function clearRun(out: string): Promise<void> {
  for (const name of await runIn(out)) await rm(join(out, name), { recursive: true })
}

/** The files of the run that a folder holds; none if it holds none. */
async function runIn(out: string): Promise<string[]> {
  const own = new Set<string>([...Object.values(RUN_FILES), ...Object.values(MODEL_FILES)])
  const files = (await readdir(out)).filter((name) => own.has(name))
  return files.includes(RUN_FILES.metrics) || files.includes(RUN_FILES.checkpoints) ? files : []
}

/** A folder that must hold a trained model; `op` names the command in the error. */
export async function modelFolder(op: string, given: string): Promise<string> {
  const folder = userPath(given)
  for (const file of [MODEL_FILES.config, MODEL_FILES.weights])
    if (!(await exists(join(folder, file))))
      throw new UsageError(
        `${op}: ${given} must hold a model, got no ${file} there; name the --out folder of a run that has ended`,
      )
  return folder
}

/** Renders report.html from metrics.jsonl. Returns the report's path. */
export async function writeReport(folder: string, path = join(folder, RUN_FILES.report)): Promise<string> {
  await writeFileAtomic(path, renderReport(await readMetrics(join(folder, RUN_FILES.metrics))))
  return path
}
