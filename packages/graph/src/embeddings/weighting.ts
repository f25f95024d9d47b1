import { type Csr, csrFromCoo } from '../csr.ts'
import { GraphError } from '../errors.ts'
import type { Passages } from './passages.ts'

/** tf-idf: (1 + ln count) (1 + ln((1 + P) / (1 + passages with the word))), rows scaled to length 1;
 *  ppmi: max(0, ln(count · total / (row total · column total))), positive pointwise mutual information of passage and word. */
export type Weighting = 'tf-idf' | 'ppmi'

export interface VocabularyOptions {
  /** passages that must hold a word, 2 unless given */
  minPassages: number
  /** share of the passages above which a word is too common to tell anything */
  maxShare: number
  /** most words kept: those in most passages, ties in alphabetical order */
  maxWords: number
}

/** Passages → sparse weights [passages, kept words] and the words, column by column. Throws GraphError when no word is kept. */
export const weightPassages = (
  passages: Passages,
  weighting: Weighting,
  vocabulary: VocabularyOptions,
): { weights: Csr; words: string[] } => {
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
  return {
    weights: weighting === 'ppmi' ? ppmi(used) : tfIdf(used),
    words: kept.map((word) => passages.words[word]),
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
        `got none of ${words.length}; lower minPassages or raise maxShare`,
    )
  }
  return kept
}

const tfIdf = (counts: Csr): Csr => {
  const frequency = passagesWith(counts)
  const values = counts.values.map(
    (n, e) => (1 + Math.log(n)) * (1 + Math.log((1 + counts.nRows) / (1 + frequency[counts.indices[e]]))),
  )
  for (let p = 0; p < counts.nRows; p++) {
    const row = values.subarray(counts.indptr[p], counts.indptr[p + 1])
    const norm = Math.sqrt(row.reduce((sum, v) => sum + v * v, 0))
    for (let e = 0; e < row.length; e++) row[e] /= norm
  }
  return { ...counts, values }
}

const ppmi = (counts: Csr): Csr => {
  const columnTotal = new Float64Array(counts.nCols)
  for (let e = 0; e < counts.values.length; e++) columnTotal[counts.indices[e]] += counts.values[e]
  const total = columnTotal.reduce((sum, v) => sum + v, 0)
  const values = counts.values.slice()
  for (let p = 0; p < counts.nRows; p++) {
    const rowTotal = values.subarray(counts.indptr[p], counts.indptr[p + 1]).reduce((sum, v) => sum + v, 0)
    for (let e = counts.indptr[p]; e < counts.indptr[p + 1]; e++) {
      values[e] = Math.max(0, Math.log((values[e] * total) / (rowTotal * columnTotal[counts.indices[e]])))
    }
  }
  return { ...counts, values }
}
