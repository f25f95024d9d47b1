import type { Backend, Settings } from './messages.ts'
import { settingsOf } from './settings.ts'

export const form = document.querySelector<HTMLFormElement>('#settings')!

const inputs = Array.from(form.querySelectorAll<HTMLInputElement>('input[name^="train."]'))
const select = (name: string) => form.querySelector<HTMLSelectElement>(`select[name=${name}]`)!
const [source, backend] = ['source', 'backend'].map(select)

/** Writes the settings of the demo into the fields. */
export function fillForm(): void {
  const defaults = new Map(Object.entries(settingsOf({ train: {} }).train))
  for (const input of inputs) input.value = String(defaults.get(input.name.replace('train.', '')))
}

/** Shows the field that belongs to the chosen source of text. */
export function showSource(): void {
  for (const field of form.querySelectorAll<HTMLElement>('[data-source]'))
    field.hidden = field.dataset.source !== source.value
}
source.addEventListener('change', showSource)

/** Disables the backends that this browser lacks. */
export function disableBackends(absent: ReadonlyMap<Backend, string>): void {
  for (const option of backend.options)
    if (absent.has(option.value as Backend)) {
      option.disabled = true
      option.textContent += ' (not here)'
    }
}

/** Reads the form. Throws an Error with the next step if there is no text. */
export async function readSettings(): Promise<Settings> {
  return {
    backend: backend.value as Backend,
    train: Object.fromEntries(
      inputs.map(({ name, value }) => [
        name.replace('train.', ''),
        value.trim() === '' ? Number.NaN : Number(value),
      ]),
    ),
    text: await readText(),
  }
}

async function readText(): Promise<string | undefined> {
  if (source.value === 'moby-dick') return undefined
  if (source.value === 'paste') {
    const text = form.querySelector<HTMLTextAreaElement>('textarea')!.value
    if (text.trim() === '')
      throw new Error('text: there must be a text to learn from, got none; paste a text')
    return text
  }
  const file = form.querySelector<HTMLInputElement>('input[type=file]')!.files?.[0]
  if (!file) throw new Error('text: there must be a file to learn from, got none; choose a file')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
  } catch (cause) {
    throw new Error(`text: ${file.name} must be UTF-8, got other bytes; save it as UTF-8`, { cause })
  }
}
