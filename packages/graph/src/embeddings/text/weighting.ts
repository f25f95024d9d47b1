import { GraphError } from '../../errors.ts'
import { type Csr, csrFromCoo } from '../../sparse/csr.ts'
import type { Passages } from './passages.ts'

/** tf-idf: (1 + ln count) (1 + ln((1 + P) / (1 + passages with the word))) for P passages, with rows scaled
 *  to length 1;
 *  ppmi: max(0, ln(count · total / (row total · column total))), the positive pointwise mutual information of
 *  passage and word. */
export type Weighting = 'tf-idf' | 'ppmi'

export interface VocabularyOptions {
  /** least number of passages that hold a kept word, 2 unless given */
  minPassages: number
  /** largest share of the passages that may hold a kept word, because a word in nearly every passage
   *  distinguishes none */
  maxShare: number
  /** most words kept: those in most passages; ties go by alphabet */
  maxWords: number
}

/** The words that were kept, and a function that weighs the words of other texts. */
export interface Vocabulary {
  /** the word of each column */
  words: string[]
  /** Weights of a text's words, by column. Words that were not kept have no weight. */
  weigh(words: readonly string[]): [column: number, weight: number][]
}

/** Passages → sparse weights [passages, kept words], and the words. Throws GraphError if no word is kept. */
export const weightPassages = (
  passages: Passages,
  weighting: Weighting,
  vocabulary: VocabularyOptions,
): { weights: Csr; vocabulary: Vocabulary } => {
  const counts = countWords(passages)
  const kept = chooseWords(passages.words, counts, vocabulary)
  const columnOf = new Int32Array(passages.words.length).fill(-1)
  for (const [column, word] of kept.entries()) columnOf[word] = column
  const row: number[] = []
  const col: number[] = []
  const value: number[] = []
  for (let p = 0; p < counts.nRows; p++) {
    for (let e = counts.indptr[p]; e < counts.indptr[p + 1]; e++) {
      if (columnOf[counts.indices[e]] < 0) continue
      row.push(p)
      col.push(columnOf[counts.indices[e]])
      value.push(counts.values[e])
    }
  }
  const used = csrFromCoo({ nRows: counts.nRows, nCols: kept.length, row, col, value })
  const weigher = weighting === 'ppmi' ? ppmi(used) : tfIdf(used)
  const words = kept.map((word) => passages.words[word])
  return { weights: weighted(used, weigher), vocabulary: { words, weigh: weighText(words, weigher) } }
}

/** Turns the counts of one passage into weights, in place. The counts belong to the columns `indices`. */
type Weigher = (counts: Float64Array, indices: ArrayLike<number>) => void

/** Weighs every row by itself, so that a row of a later text is treated alike. */
const weighted = (counts: Csr, weigh: Weigher): Csr => {
  const values = counts.values.slice()
  for (let p = 0; p < counts.nRows; p++) {
    const [from, to] = [counts.indptr[p], counts.indptr[p + 1]]
    weigh(values.subarray(from, to), counts.indices.subarray(from, to))
  }
  return { ...counts, values }
}

const weighText = (words: readonly string[], weigh: Weigher): Vocabulary['weigh'] => {
  const columnOf = new Map(words.map((word, column) => [word, column]))
  return (text) => {
    const counts = new Map<number, number>()
    for (const word of text) {
      const column = columnOf.get(word)
      if (column !== undefined) counts.set(column, (counts.get(column) ?? 0) + 1)
    }
    const columns = Array.from(counts.keys()).sort((a, b) => a - b)
    const values = Float64Array.from(columns, (column) => counts.get(column) ?? 0)
    weigh(values, columns)
    return columns.map((column, i) => [column, values[i]])
  }
}

const countWords = ({ words, tokens, bounds }: Passages): Csr => {
  const nRows = bounds.length - 1
  const row = new Int32Array(tokens.length)
  for (let p = 0; p < nRows; p++) row.fill(p, bounds[p], bounds[p + 1])
  const value = new Float64Array(tokens.length).fill(1)
  return csrFromCoo({ nRows, nCols: words.length, row, col: tokens, value })
}

/** Number of rows that hold each column. */
const passagesWith = (counts: Csr): Int32Array => {
  const frequency = new Int32Array(counts.nCols)
  for (const word of counts.indices) frequency[word]++
  return frequency
}

const chooseWords = (
  words: string[],
  counts: Csr,
  { minPassages, maxShare, maxWords }: VocabularyOptions,
): number[] => {
  const frequency = passagesWith(counts)
  const kept = Array.from(words.keys())
    .filter((word) => frequency[word] >= minPassages && frequency[word] <= maxShare * counts.nRows)
    .sort((a, b) => frequency[b] - frequency[a] || (words[a] < words[b] ? -1 : 1))
    .slice(0, maxWords)
  if (kept.length === 0) {
    throw new GraphError(
      `textEmbeddings: some word must be in at least ${minPassages} and at most ${100 * maxShare} % of the ${counts.nRows} passages, ` +
        `got none among ${words.length} words; make passages shorter, lower minPassages or raise maxShare`,
    )
  }
  return kept
}

const tfIdf = (counts: Csr): Weigher => {
  const frequency = passagesWith(counts)
  return (row, indices) => {
    for (let e = 0; e < row.length; e++) {
      row[e] = (1 + Math.log(row[e])) * (1 + Math.log((1 + counts.nRows) / (1 + frequency[indices[e]])))
    }
    const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0))
    for (let e = 0; e < row.length; e++) row[e] /= norm
  }
}

const ppmi = (counts: Csr): Weigher => {
  const columnTotal = new Float64Array(counts.nCols)
  for (let e = 0; e < counts.values.length; e++) columnTotal[counts.indices[e]] += counts.values[e]
  const total = columnTotal.reduce((sum, v) => sum + v, 0)
  return (row, indices) => {
    const rowTotal = row.reduce((sum, v) => sum + v, 0)
    for (let e = 0; e < row.length; e++) {
      row[e] = Math.max(0, Math.log((row[e] * total) / (rowTotal * columnTotal[indices[e]])))
    }
  }
}
