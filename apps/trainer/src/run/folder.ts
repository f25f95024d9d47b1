import { access, mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '@tau/tensor'
import { readMetrics } from '@tau/train'
import { UsageError } from '../config/errors.ts'
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

/** Makes the folder of a new run. One that holds a run is only cleared of it with `overwrite`; other files are left alone. */
export async function openRunFolder(out: string, overwrite: boolean): Promise<void> {
  await mkdir(out, { recursive: true }).catch((error) => {
    throw new UsageError(
      `out: ${out} must be a folder that can be made, got ${error.code ?? error}; choose another`,
    )
  })
  const old = (await readdir(out)).filter((name) => Object.values<string>(RUN_FILES).includes(name))
  const holdsRun = old.includes(RUN_FILES.metrics) || old.includes(RUN_FILES.checkpoints)
  if (holdsRun && !overwrite)
    throw new UsageError(
      `out: ${out} must not hold a run already, got ${old.join(', ')}; pass --resume, --overwrite or another --out`,
    )
  for (const name of old) await rm(join(out, name), { recursive: true })
}

/** Renders report.html from metrics.jsonl. Returns the report's path. */
export async function writeReport(folder: string, path = join(folder, RUN_FILES.report)): Promise<string> {
  await writeFileAtomic(path, renderReport(await readMetrics(join(folder, RUN_FILES.metrics))))
  return path
}
