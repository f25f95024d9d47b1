import {
  type FolderPlace,
  openFileParts,
  pathOf,
  readJson,
  type Store,
  sha256,
  storeAt,
} from '@tau/tensor/files'

/** Name of the header file. It describes the .bin files in its folder. */
const HEADER = 'tokens.json'
const FORMAT = 'tau-tokens-1'
const BYTES = { uint16: 2, uint32: 4 } as const
const SPLITS = ['train', 'val'] as const
const MAX_HEADER_BYTES = 2 ** 24

type Split = (typeof SPLITS)[number]

interface Shard {
  /** Name of a file in the folder of the header, never a path. */
  readonly file: string
  readonly tokens: number
  /** SHA-256 of the bytes of the file, hexadecimal. */
  readonly sha256: string
}

/** Content of tokens.json. */
export interface ShardHeader {
  readonly format: typeof FORMAT
  readonly dtype: keyof typeof BYTES
  readonly byteOrder: 'little'
  readonly vocabSize: number
  readonly train: readonly Shard[]
  readonly val: readonly Shard[]
}

export interface WriteShardsOptions {
  /** Token ids, from 0 to vocabSize − 1; at least one in each part. */
  readonly train: Int32Array
  readonly val: Int32Array
  readonly vocabSize: number
  /** Tokens per .bin file. */
  readonly shardTokens: number
}

/** Writes token ids into a folder (a path or a store) as `train-00000.bin`, … and `val-00000.bin`, …. Ids are
 *  little-endian uint16 if the vocabulary fits, else uint32. tokens.json lists the count and SHA-256 of each
 *  file. It is written last, because a folder without it is not read. */
export async function writeShards(folder: FolderPlace, options: WriteShardsOptions): Promise<ShardHeader> {
  checkOptions(options)
  const store = storeAt(folder)
  const { vocabSize, shardTokens } = options
  const dtype = vocabSize <= 2 ** 16 ? 'uint16' : 'uint32'
  const write = async (split: Split) => {
    const ids = options[split]
    const shards: Shard[] = []
    for (let at = 0; at < ids.length; at += shardTokens) {
      const part = ids.subarray(at, at + shardTokens)
      const bytes = encodeIds(part, dtype)
      const file = `${split}-${String(shards.length).padStart(5, '0')}.bin`
      await store.write([{ name: file, content: bytes }])
      shards.push({ file, tokens: part.length, sha256: await sha256(bytes) })
    }
    return shards
  }
  const header: ShardHeader = {
    format: FORMAT,
    dtype,
    byteOrder: 'little',
    vocabSize,
    train: await write('train'),
    val: await write('val'),
  }
  await store.write([{ name: HEADER, content: `${JSON.stringify(header, null, 2)}\n` }])
  return header
}

function checkOptions(options: WriteShardsOptions): void {
  for (const [name, most] of [
    ['vocabSize', 2 ** 31],
    ['shardTokens', Number.MAX_SAFE_INTEGER],
  ] as const)
    if (!isWhole(options[name], 1) || options[name] > most)
      throw new RangeError(
        `shards: ${name} must be a whole number from 1 to ${most}, got ${options[name]}; correct it`,
      )
  for (const split of SPLITS) {
    if (options[split].length === 0)
      throw new RangeError(`shards: ${split} must hold at least one token, got none; add text`)
    checkIds(options[split], options.vocabSize, split)
  }
}

function checkIds(ids: Int32Array, vocabSize: number, where: string): void {
  const bad = ids.findIndex((id) => id < 0 || id >= vocabSize)
  if (bad >= 0)
    throw new RangeError(
      `shards: ids must be from 0 to vocabSize - 1, with vocabSize ${vocabSize}, got ${ids[bad]} at position ${bad} of ${where}; use the tokenizer that made the ids`,
    )
}

/** Reads a folder that {@link writeShards} wrote for a tokenizer of `vocabSize` tokens. Checks sizes, hashes
 *  and ids. Errors name the file and the values. */
export async function readShards(
  folder: FolderPlace,
  vocabSize: number,
): Promise<{ train: Int32Array; val: Int32Array }> {
  const store = storeAt(folder)
  const file = { store, name: HEADER }
  const path = pathOf(file)
  const header = parseHeader(await readJson(file, { maxBytes: MAX_HEADER_BYTES }), path)
  if (header.vocabSize !== vocabSize)
    throw new Error(
      `shards: ${path} must be for the tokenizer's ${vocabSize} tokens, got vocabSize ${header.vocabSize}; prepare the text again`,
    )
  return { train: await readSplit(store, header, 'train'), val: await readSplit(store, header, 'val') }
}

function parseHeader(json: unknown, path: string): ShardHeader {
  const fail = (field: string, rule: string, value: unknown): never => {
    throw new Error(
      `shards: ${path}: ${field} must be ${rule}, got ${JSON.stringify(value)}; prepare the text again`,
    )
  }
  const fieldsOf = (value: unknown, name: string, known: readonly string[]): Record<string, unknown> => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return fail(name, 'an object', value)
    const fields: Record<string, unknown> = { ...value }
    for (const key of Object.keys(fields)) if (!known.includes(key)) fail(key, 'left out', fields[key])
    return fields
  }
  const shardOf = (value: unknown, name: string, split: Split): Shard => {
    const shard = fieldsOf(value, name, ['file', 'tokens', 'sha256'])
    const { file, tokens, sha256: hash } = shard
    if (typeof file !== 'string' || !new RegExp(`^${split}-\\d{5,}\\.bin$`).test(file))
      return fail(`${name}.file`, `${split}-NNNNN.bin`, file)
    if (!isWhole(tokens, 1)) return fail(`${name}.tokens`, 'a whole number of at least 1', tokens)
    if (typeof hash !== 'string' || !/^[0-9a-f]{64}$/.test(hash))
      return fail(`${name}.sha256`, '64 hexadecimal digits', hash)
    return { file, tokens, sha256: hash }
  }
  const shardsOf = (value: unknown, split: Split): Shard[] =>
    Array.isArray(value) && value.length > 0
      ? value.map((shard, i) => shardOf(shard, `${split}.${i}`, split))
      : fail(split, 'a list of at least one file', value)

  const header = fieldsOf(json, 'the header', ['format', 'dtype', 'byteOrder', 'vocabSize', ...SPLITS])
  const { format, dtype, byteOrder, vocabSize } = header
  if (format !== FORMAT) return fail('format', FORMAT, format)
  if (dtype !== 'uint16' && dtype !== 'uint32') return fail('dtype', 'uint16 or uint32', dtype)
  if (byteOrder !== 'little') return fail('byteOrder', 'little', byteOrder)
  if (!isWhole(vocabSize, 1)) return fail('vocabSize', 'a whole number of at least 1', vocabSize)
  const [train, val] = [shardsOf(header.train, 'train'), shardsOf(header.val, 'val')]
  return { format, dtype, byteOrder, vocabSize, train, val }
}

const isWhole = (value: unknown, min: number): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= min

async function readSplit(store: Store, header: ShardHeader, split: Split): Promise<Int32Array> {
  const { dtype, vocabSize } = header
  const parts: Int32Array[] = []
  for (const { file, tokens, sha256: expected } of header[split]) {
    const path = pathOf({ store, name: file })
    const bytes = await readShard(store, file, tokens, dtype)
    const found = await sha256(bytes)
    if (found !== expected)
      throw new Error(`shards: ${path} must have SHA-256 ${expected}, got ${found}; prepare the text again`)
    const ids = decodeIds(bytes, dtype)
    checkIds(ids, vocabSize, path)
    parts.push(ids)
  }
  const ids = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    ids.set(part, at)
    at += part.length
  }
  return ids
}

async function readShard(
  store: Store,
  name: string,
  tokens: number,
  dtype: ShardHeader['dtype'],
): Promise<Uint8Array<ArrayBuffer>> {
  const parts = await openFileParts({ store, name }, 'shards')
  try {
    // Checked before memory is allocated, because the header may be wrong.
    if (parts.size !== tokens * BYTES[dtype])
      throw new Error(
        `shards: ${pathOf({ store, name })} must have ${tokens} ${dtype} = ${tokens * BYTES[dtype]} bytes, got ${parts.size}; prepare the text again`,
      )
    const bytes = new Uint8Array(parts.size)
    await parts.read(0, bytes)
    return bytes
  } finally {
    await parts.close()
  }
}

function encodeIds(ids: Int32Array, dtype: ShardHeader['dtype']): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ids.length * BYTES[dtype])
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < ids.length; i++) {
    if (dtype === 'uint16') view.setUint16(2 * i, ids[i], true)
    else view.setUint32(4 * i, ids[i], true)
  }
  return bytes
}

function decodeIds(bytes: Uint8Array, dtype: ShardHeader['dtype']): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read =
    dtype === 'uint16'
      ? (i: number) => view.getUint16(2 * i, true)
      : (i: number) => view.getUint32(4 * i, true)
  return Int32Array.from({ length: bytes.length / BYTES[dtype] }, (_, i) => read(i))
}
