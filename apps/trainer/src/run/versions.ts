import { cpus } from 'node:os'
import manifest from '../../package.json' with { type: 'json' }

/** Version of `tau`; the packages of the workspace are released with it. */
export const tauVersion: string = manifest.version

/** What a run's results may depend on, for the report. */
export const versions = (): Record<string, string> => ({
  tau: tauVersion,
  node: process.versions.node,
  v8: process.versions.v8,
  system: `${process.platform} ${process.arch}`,
  processor: cpus()[0]?.model.trim() ?? 'unknown',
})
