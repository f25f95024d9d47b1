import { type FilePlace, pathOf, readUtf8File } from '@tau/tensor/files'

export interface TextFile {
  readonly path: string
  readonly text: string
}

// The longest string that V8 can hold.
const MAX_TEXT_BYTES = 2 ** 29 - 24

/** Reads text files, in the given order.
 *   The files must be regular files, must not be empty, and must be strict UTF-8. A byte order mark is
 *   dropped. Line ends stay as they are. An error names the file, and the byte offset if the UTF-8 is
 *   invalid. */
export async function readTextFiles(places: readonly FilePlace[]): Promise<TextFile[]> {
  if (places.length === 0)
    throw new Error('readTextFiles: at least one path is needed, got 0; name a text file')
  const files: TextFile[] = []
  for (const place of places)
    files.push({
      path: pathOf(place),
      text: await readUtf8File(place, 'readTextFiles', MAX_TEXT_BYTES),
    })
  return files
}

export interface HeldOutSplit<T> {
  readonly train: T
  readonly heldOut: T
}

/** Splits a text, or its ids, into a training part and a held-out tail for evaluation.
 *   `fraction` of the length (characters or ids) is held out, 0 ≤ fraction < 1. The number is rounded down,
 *   but at least one is held out if fraction > 0. A text is never cut inside a character. Ids are views, not
 *   copies. */
export function splitHeldOut(data: string, fraction: number): HeldOutSplit<string>
export function splitHeldOut(data: Int32Array, fraction: number): HeldOutSplit<Int32Array>
export function splitHeldOut(data: string | Int32Array, fraction: number): HeldOutSplit<string | Int32Array> {
  if (!(fraction >= 0 && fraction < 1)) {
    throw new RangeError(
      `splitHeldOut: fraction must be at least 0 and less than 1, got ${fraction}; 0.1 holds out a tenth`,
    )
  }
  let cut = data.length
  if (fraction > 0) cut -= Math.max(1, Math.floor(data.length * fraction))
  // codePointAt returns more than 0xffff only at the first half of a surrogate pair.
  if (typeof data === 'string' && (data.codePointAt(cut - 1) ?? 0) > 0xffff) cut--
  if (cut < 1) {
    throw new RangeError(
      `splitHeldOut: the part to train on must not be empty, got length ${data.length} and fraction ${fraction}; ` +
        'add text or lower the fraction',
    )
  }
  if (typeof data === 'string') return { train: data.slice(0, cut), heldOut: data.slice(cut) }
  return { train: data.subarray(0, cut), heldOut: data.subarray(cut) }
}
