import { Random } from '@tau/tensor'
import { expectNear, type HostBench } from '@tau/testing'
import { textEmbeddings } from './text.ts'

const BYTES = 1_000_000
const WORDS = 8000
const TOPIC_WORDS = 2000
const TOPICS = 24
const [PARAGRAPH, SENTENCE] = [160, 14]
const SYLLABLES = 'ba ke lo mi nu ra so ti vu ze pha gro sti lan der mor que win sha ton'.split(' ')
const DIM = 64

/** A word of at least two syllables for every number. Different numbers give different words. */
function wordOf(index: number): string {
  let word = ''
  for (let rest = index + SYLLABLES.length; rest > 0; rest = Math.floor(rest / SYLLABLES.length))
    word += SYLLABLES[rest % SYLLABLES.length]
  return word
}

/** 1 MB of sentences in ASCII. Words follow Zipf's law; the rarer half of them belong to the topic of the
 *  paragraph. */
function syntheticText(): string {
  const random = new Random(1)
  const words = Array.from({ length: WORDS }, (_, index) => wordOf(index))
  const zipf = (count: number) => Math.floor(count ** random.float()) - 1 // density 1 / rank
  const parts: string[] = []
  let topic = 0
  for (let size = 0; size < BYTES; size += parts[parts.length - 1].length) {
    if (parts.length % PARAGRAPH === 0) topic = random.integer(TOPICS)
    const common = random.float() < 0.5
    const index = common ? zipf(WORDS) : (topic * 251 + zipf(TOPIC_WORDS)) % WORDS
    const end = parts.length % SENTENCE === SENTENCE - 1 ? '. ' : ' '
    parts.push(words[index] + end)
  }
  return parts.join('').slice(0, BYTES)
}

/** Embeddings of a text alone, from which a domain Laplacian can be built. */
export const benches: readonly HostBench[] = [
  {
    name: 'graph/text-embeddings/synthetic_1MB',
    shape: `${WORDS} words, ${TOPICS} topics, dim ${DIM}`,
    items: { count: BYTES, unit: 'bytes' },
    prepare() {
      const text = syntheticText()
      const run = () => textEmbeddings(text, { dim: DIM })
      return {
        run: () => void run(),
        async check() {
          const { data, rows, info } = run()
          if (info.passages !== rows || rows * 64 < 0.99 * info.tokens)
            throw new Error(
              `bench: passages must hold all words, got ${rows} passages of 64 words for ${info.tokens} words`,
            )
          // The columns of U·S are orthogonal, and their lengths are the singular values.
          const gram = (a: number, b: number) => {
            let sum = 0
            for (let row = 0; row < rows; row++) sum += data[row * DIM + a] * data[row * DIM + b]
            return sum
          }
          const [first] = info.singularValues
          for (const a of [0, 1, DIM >> 1, DIM - 1]) {
            const expected = Float64Array.from({ length: DIM }, (_, b) =>
              a === b ? info.singularValues[a] ** 2 : 0,
            )
            const found = expected.map((_, b) => gram(a, b))
            expectNear(found, expected, { atol: 1e-9 * first * first })
          }
        },
      }
    },
  },
]
