import type { GPT } from '@tau/model'
import { type Device, DeviceLostError } from '@tau/tensor'
import type { FolderPlace } from '@tau/tensor/files'
import { type ResumePoint, resumeFrom, type TrainResult, type TrainTask, train } from './train.ts'

/** The run fails at this many losses in a row without a step in between. */
const MAX_DEVICE_LOSSES = 3

export interface RecoverableRun {
  readonly model: GPT
  readonly resume?: ResumePoint | undefined
  /** Folder of the checkpoints. A checkpoint in it must belong to this run. Undefined: the run starts
   *  again. */
  readonly checkpoints: FolderPlace | undefined
  /** The training task for a model: the first model, the model of a checkpoint, or the result of {@link
   *  restart}. */
  task(model: GPT, resume: ResumePoint | undefined): TrainTask
  /** Opens another device. If it is left out, the run ends when the first device is lost. */
  reopen?(): Promise<Device>
  /** Makes the model of the beginning again, on another device. It is needed if there is no checkpoint
   *  yet. */
  restart(device: Device): GPT | Promise<GPT>
  /** Called before the run continues from `step` with `model`. */
  onDeviceLost?(error: DeviceLostError, model: GPT, step: number): void | Promise<void>
}

/** Trains as {@link train} does, and survives the loss of a device. It then opens another device, loads the
 *  last checkpoint and continues. The results equal those of a run that was resumed at this checkpoint.
 *  Returns the model that the run ends with, on the last device. Throws DeviceLostError if the device is lost
 *  3 times in a row without a step in between. */
export async function trainThroughDeviceLoss(
  run: RecoverableRun,
): Promise<{ result: TrainResult; model: GPT }> {
  let { model, resume } = run
  let deviceLosses = 0
  let reached = resume?.state.step ?? 0
  for (;;) {
    const task = run.task(model, resume)
    const onRecord: TrainTask['onRecord'] = (record) => {
      if (record.step > reached) deviceLosses = 0
      reached = Math.max(reached, record.step)
      return task.onRecord?.(record)
    }
    try {
      return { result: await train({ ...task, onRecord }), model }
    } catch (error) {
      if (!(error instanceof DeviceLostError) || !run.reopen || ++deviceLosses >= MAX_DEVICE_LOSSES)
        throw error
      model[Symbol.dispose]()
      const device = await run.reopen()
      resume = run.checkpoints === undefined ? undefined : await resumeFrom(device, run.checkpoints)
      model = resume?.model ?? (await run.restart(device))
      await run.onDeviceLost?.(error, model, resume?.state.step ?? 0)
    }
  }
}
