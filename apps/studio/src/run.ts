import { mobyDick } from '@tau/demo'
import type { Device } from '@tau/tensor'
import { type MetricsRecord, prepareRun, trainingFlops, trainRun } from '@tau/train'
import { openDevice } from './device.ts'
import type { Settings } from './messages.ts'
import { settingsOf } from './settings.ts'

export interface Watcher {
  /** Reports what is being done before the first step. */
  stage(text: string): void
  /** Called with every line of the metrics. The run waits for the promise. */
  record(record: MetricsRecord): Promise<void>
}

/** Runs the demo in a page or in Node: text → tokenizer → Laplacian → model → training. It ends when the
 *  training is done or `signal` is aborted. If the device is lost, another is opened and the run starts
 *  again. */
export async function run(settings: Settings, watcher: Watcher, signal: AbortSignal): Promise<void> {
  const run = settingsOf(settings)
  const devices: Device[] = []
  const open = async () => {
    const device = await openDevice(settings.backend, trainingFlops(run))
    devices.push(device)
    return device
  }
  try {
    watcher.stage('opening the device')
    const device = await open()
    watcher.stage('reading the text')
    const text = settings.text ?? (await mobyDick())
    const prepared = await prepareRun(device, run, {
      text,
      stages: {
        text: () => watcher.stage('learning a tokenizer from the text'),
        config: () => watcher.stage('building the Laplacian of its words'),
      },
    })
    await trainRun(prepared, run, {
      signal,
      versions: { browser: navigator.userAgent },
      reopen: open,
      onRecord: (record) => watcher.record(record),
      onDeviceLost: ({ message }) => watcher.stage(`${message}; the run starts again`),
    })
  } finally {
    for (const device of devices) await device.close()
  }
}
