import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readFileBytes, readJson, sha256, writeFileAtomic } from '@tau/tensor'
import { z } from 'zod'

/** Names inside a prepared folder: `header` describes the .bin files beside it. */
export const SHARD_FILES = { header: 'tokens.json', tokenizer: 'tokenizer.json' } as const

const FORMAT = 'tau-tokens-1'
const BYTES = { uint16: 2, uint32: 4 } as const
const DTYPES = ['uint16', 'uint32'] as const

const shardSchema = z.strictObject({
  /** Beside the header, never elsewhere. */
  file: z.string().regex(/^(train|val)-\d{5}\.bin$/),
  tokens: z.int().min(1),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
})
const headerSchema = z.strictObject({
  format: z.literal(FORMAT),
  dtype: z.enum(DTYPES),
  byteOrder: z.literal('little'),
  vocabSize: z.int().min(1),
  train: z.array(shardSchema).min(1),
  val: z.array(shardSchema).min(1),
})
type Header = z.output<typeof headerSchema>

export interface WriteShardsOptions {
  readonly train: Int32Array
  readonly val: Int32Array
  readonly vocabSize: number
  /** Tokens per .bin file. */
  readonly shardTokens: number
}

/** Writes token ids as `train-00000.bin`, … and `val-00000.bin`, …: little-endian uint16 where the vocabulary fits, else uint32, and
 *  tokens.json with the count and SHA-256 of each. The header comes last: without it the folder is not read. */
export async function writeShards(folder: string, options: WriteShardsOptions): Promise<Header> {
  const { vocabSize, shardTokens } = options
  await mkdir(folder, { recursive: true })
  const dtype = vocabSize <= 2 ** 16 ? 'uint16' : 'uint32'
  const write = async (split: 'train' | 'val') => {
    const ids = options[split]
    const shards: Header['train'] = []
    for (let at = 0; at < ids.length; at += shardTokens) {
      const part = ids.subarray(at, at + shardTokens)
      const bytes = encodeIds(part, dtype)
      const file = `${split}-${String(shards.length).padStart(5, '0')}.bin`
      await writeFileAtomic(join(folder, file), bytes)
      shards.push({ file, tokens: part.length, sha256: await sha256(bytes) })
    }
    return shards
  }
  const header: Header = {
    format: FORMAT,
    dtype,
    byteOrder: 'little',
    vocabSize,
    train: await write('train'),
    val: await write('val'),
  }
  await writeFileAtomic(join(folder, SHARD_FILES.header), `${JSON.stringify(header, null, 2)}\n`)
  return header
}

/** Reads what {@link writeShards} wrote. Sizes, hashes and ids are checked; errors name the file and the values. */
export async function readShards(
  folder: string,
  vocabSize: number,
): Promise<{ train: Int32Array; val: Int32Array }> {
  const path = join(folder, SHARD_FILES.header)
  const parsed = headerSchema.safeParse(await readJson(path))
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Error(
      `shards: ${path} must be a token header, got ${issue.path.join('.') || 'the file'}: ${issue.message}; run tau prepare again`,
    )
  }
  const header = parsed.data
  if (header.vocabSize !== vocabSize)
    throw new Error(
      `shards: ${path} must be for the tokenizer's ${vocabSize} tokens, got vocabSize ${header.vocabSize}; run tau prepare again`,
    )
  return {
    train: await readSplit(folder, header, header.train),
    val: await readSplit(folder, header, header.val),
  }
}

async function readSplit(
  folder: string,
  { dtype, vocabSize }: Header,
  shards: Header['train'],
): Promise<Int32Array> {
  const parts: Int32Array[] = []
  for (const { file, tokens, sha256: expected } of shards) {
    const path = join(folder, file)
    const { size } = await stat(path).catch((error) => {
      throw new Error(`shards: ${path} must be readable, got ${error.code ?? error}; run tau prepare again`)
    })
    // Before reading: the header may lie.
    if (size !== tokens * BYTES[dtype])
      throw new Error(
        `shards: ${path} must have ${tokens} ${dtype} = ${tokens * BYTES[dtype]} bytes, got ${size}; run tau prepare again`,
      )
    const bytes = await readFileBytes(path, 'shards', size)
    const found = await sha256(bytes)
    if (found !== expected)
      throw new Error(`shards: ${path} must have SHA-256 ${expected}, got ${found}; run tau prepare again`)
    parts.push(decodeIds(bytes, dtype))
  }
  const ids = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    ids.set(part, at)
    at += part.length
  }
  const bad = ids.findIndex((id) => id < 0 || id >= vocabSize)
  if (bad >= 0)
    throw new Error(
      `shards: ids must be less than vocabSize ${vocabSize}, got ${ids[bad]} in ${folder}; run tau prepare again`,
    )
  return ids
}

function encodeIds(ids: Int32Array, dtype: Header['dtype']): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(ids.length * BYTES[dtype])
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < ids.length; i++) {
    if (dtype === 'uint16') view.setUint16(2 * i, ids[i], true)
    else view.setUint32(4 * i, ids[i], true)
  }
  return bytes
}

function decodeIds(bytes: Uint8Array, dtype: Header['dtype']): Int32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read =
    dtype === 'uint16'
      ? (i: number) => view.getUint16(2 * i, true)
      : (i: number) => view.getUint32(4 * i, true)
  return Int32Array.from({ length: bytes.length / BYTES[dtype] }, (_, i) => read(i))
}
