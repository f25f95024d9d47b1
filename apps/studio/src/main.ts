import { historyOf } from '@tau/report'
import type { MetricsRecord } from '@tau/train'
import { absentBackends } from './backends.ts'
import { disableBackends, fillForm, form, readSettings, showSource } from './form.ts'
import type { Command, Message } from './messages.ts'
import { settingsOf } from './settings.ts'
import { showError, showNotes, showRun, showStatus } from './view.ts'

type State = 'idle' | 'preparing' | 'running' | 'pausing' | 'paused' | 'stopping' | 'finished' | 'failed'

declare global {
  /** Records of the run, for tests and for use in the console. */
  var studio: { readonly records: readonly MetricsRecord[] } | undefined
}

const button = (id: string) => document.querySelector<HTMLButtonElement>(`#${id}`)!
const [start, pause, stop] = ['start', 'pause', 'stop'].map(button)
const pill = document.querySelector<HTMLElement>('#state')!

let state: State = 'idle'
let worker: Worker | undefined
let records: MetricsRecord[] = []
let steps = 0
let isDrawn = true

function enter(next: State): void {
  state = next
  document.documentElement.dataset.state = next
  pill.textContent = next
  const isBusy = worker !== undefined
  start.disabled = isBusy
  pause.disabled = state !== 'running' && state !== 'paused'
  pause.textContent = state === 'paused' ? 'Resume' : 'Pause'
  stop.disabled = !isBusy || state === 'stopping'
  for (const field of form.querySelectorAll<HTMLInputElement>('input, select, textarea'))
    field.disabled = isBusy
}

const tell = (command: Command): void => worker?.postMessage(command)

/** Ends the worker, which frees its memory. */
function end(next: State, text: string): void {
  worker?.terminate()
  worker = undefined
  showStatus(text)
  enter(next)
}

/** Draws the run, at most once per frame. */
function redraw(): void {
  if (!isDrawn) return
  isDrawn = false
  requestAnimationFrame(() => {
    isDrawn = true
    showRun(historyOf(records), steps)
  })
}

function hear(message: Message): void {
  switch (message.kind) {
    case 'stage':
      showStatus(`${message.text}…`)
      break
    case 'paused':
      if (state === 'pausing') enter('paused')
      break
    case 'failed':
      showError(message.text)
      end('failed', '')
      break
    case 'record':
      take(message.record)
  }
}

function take(record: MetricsRecord): void {
  if (record.kind === 'run') {
    showStatus('')
    enter('running')
  }
  records.push(record)
  redraw()
  if (record.kind === 'end' && record.reason !== 'diverged')
    end(record.reason === 'finished' ? 'finished' : 'idle', record.reason === 'finished' ? '' : 'stopped')
}

async function begin(): Promise<void> {
  showError(undefined)
  try {
    const settings = await readSettings()
    steps = settingsOf(settings).train.steps
    records = []
    globalThis.studio = { records }
    redraw()
    const own = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' })
    worker = own
    // Messages of an ended worker may still arrive. They are ignored.
    own.onmessage = ({ data }: MessageEvent<Message>) => worker === own && hear(data)
    own.onerror = ({ message }) => worker === own && hear({ kind: 'failed', text: message })
    enter('preparing')
    tell({ kind: 'start', settings })
  } catch (error) {
    showError(error instanceof Error ? error.message : String(error))
  }
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  void begin()
})
pause.addEventListener('click', () => {
  const isPaused = state === 'paused'
  tell({ kind: isPaused ? 'resume' : 'pause' })
  showStatus('')
  enter(isPaused ? 'running' : 'pausing')
})
stop.addEventListener('click', () => {
  if (records.length === 0) return end('idle', 'stopped')
  tell({ kind: 'stop' })
  showStatus('finishing the step and validating…')
  enter('stopping')
})

fillForm()
showSource()
const absent = await absentBackends()
disableBackends(absent)
showNotes([
  ...absent.values(),
  ...(crossOriginIsolated
    ? []
    : [
        'This page is not cross-origin isolated, so WebAssembly has only one thread. Serve the page with the two headers that its README names.',
      ]),
])
enter('idle')
