import { cpus } from 'node:os'
import manifest from '../../package.json' with { type: 'json' }

/** Version of `tau`. The packages of the workspace are released together with it. */
export const tauVersion: string = manifest.version

/** Versions and machine that the results of a run may depend on, for the report. */
export const versions = (): Record<string, string> => ({
  tau: tauVersion,
  node: process.versions.node,
  v8: process.versions.v8,
  system: `${process.platform} ${process.arch}`,
  processor: cpus()[0]?.model.trim() ?? 'unknown',
})
