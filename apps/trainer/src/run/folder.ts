import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MODEL_FILES } from '@tau/model'
import { renderReport } from '@tau/report/page'
import { fileExists, nodeStore, writeFileAtomic } from '@tau/tensor/files'
import { filesOfRun, RUN_FILES, readMetrics } from '@tau/train'
import { UsageError } from '../config/errors.ts'
import { userPath } from '../paths.ts'

/** Makes the folder of a new run. Throws if it holds a run already, unless `overwrite` is set. Deletes
 *  nothing, because the new run may need files in the folder, and may still fail to start. */
export async function openRunFolder(out: string, overwrite: boolean): Promise<void> {
  await mkdir(out, { recursive: true }).catch((error) => {
    throw new UsageError(
      `out: ${out} must be a folder that can be created, got ${error.code ?? error}; choose another --out`,
    )
  })
  const old = await filesOfRun(nodeStore(out))
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

/** The absolute path of a folder that must hold a trained model. `op` names the command in the error. */
export async function modelFolder(op: string, given: string): Promise<string> {
  const folder = userPath(given)
  for (const file of [MODEL_FILES.config, MODEL_FILES.weights])
    if (!(await fileExists(join(folder, file)).catch(() => false)))
      throw new UsageError(
        `${op}: ${given} must hold a model, got no ${file} there; name the --out folder of a run that has ended`,
      )
  return folder
}

/** Renders report.html from metrics.jsonl. Returns the path of the report. */
export async function writeReport(folder: string, path = join(folder, RUN_FILES.report)): Promise<string> {
  await writeFileAtomic(path, renderReport(await readMetrics(join(folder, RUN_FILES.metrics))))
  return path
}
