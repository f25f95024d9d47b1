import type { Device } from '@tau/tensor'
import { type FinishedRun, type PreparedRun, trainRun } from '@tau/train'
import { runSettingsOf } from '../config/config.ts'
import { configYaml, expandConfig } from '../config/print.ts'
import type { Config } from '../config/schema.ts'
import { type Io, say } from '../io.ts'
import { Progress } from '../progress.ts'
import { deviceText } from './device.ts'
import { writeReport } from './folder.ts'
import { versions } from './versions.ts'

/** Trains into the folder of the configuration. Shows a progress line, and writes report.html at the end,
 *  even if the training fails. If the device is lost, `reopen` opens another. */
export async function runTraining(
  run: PreparedRun,
  config: Config,
  reopen: () => Promise<Device>,
  io: Io,
): Promise<FinishedRun> {
  const { out } = config
  const progress = new Progress({
    stream: io.stderr,
    totalSteps: config.train.steps,
    startStep: run.resume?.state.step ?? 0,
  })
  const { vocabSize } = run.model.config
  const expanded = expandConfig(config)
  try {
    return await trainRun(run, runSettingsOf(config), {
      // openRunFolder has refused a run that must stay.
      ...{ out, overwrite: true, reopen, signal: io.signal, versions: versions() },
      settingsText: configYaml(config),
      config: { ...expanded, model: { ...expanded.model, vocabSize } },
      onRecord: (record) => {
        progress.record(record)
        if (record.kind === 'sample' && io.stderr.isTTY)
          progress.note(`\n— step ${record.step} —\n${record.prompt}${record.text}\n`)
      },
      onDeviceLost: ({ message }, { device }, step) =>
        progress.note(`\n${message}\ncontinuing from step ${step} on ${deviceText(device.info)}\n`),
    })
  } finally {
    progress.end()
    say(io, `report: ${await writeReport(out)}`)
  }
}
