import type { GPT } from '@tau/model'
import { type Device, DeviceLostError } from '@tau/tensor'
import type { FolderPlace } from '@tau/tensor/files'
import { type ResumePoint, resumeFrom, type TrainResult, type TrainTask, train } from './train.ts'

/** How often in a row a device may be lost without a step in between. */
const MAX_DEVICE_LOSSES = 3

export interface RecoverableRun {
  readonly model: GPT
  readonly resume?: ResumePoint | undefined
  /** Where the run's checkpoints go; one that lies there must be of this run. Undefined: the run begins again. */
  readonly checkpoints: FolderPlace | undefined
  /** What is left to do with a model: that of the beginning, of a checkpoint, or one that {@link restart} made. */
  task(model: GPT, resume: ResumePoint | undefined): TrainTask
  /** Opens another device; left out: the run ends when the first is lost. */
  reopen?(): Promise<Device>
  /** The model as it was at the beginning, on another device: for a device that is lost before the first checkpoint. */
  restart(device: Device): GPT | Promise<GPT>
  /** Called before the run goes on from `step` with `model`. */
  onDeviceLost?(error: DeviceLostError, model: GPT, step: number): void | Promise<void>
}

/** Trains as {@link train} does, through losses of the device: it opens another, takes up the last checkpoint and goes on, with the
 *  numbers of a run that was resumed there. Gives the model that it ends with, which is then on the last device.
 *  Throws DeviceLostError when the device is lost over and over without a step. */
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
