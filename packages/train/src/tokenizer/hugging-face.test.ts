import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyText, corpus, huggingFace } from './fixtures/reference.ts'
import { Tokenizer } from './tokenizer.ts'
import { trainTokenizer } from './train.ts'

/** Converts to JSON text and back, as a file does. So the other library gets nothing but JSON. */
const hub = (json: unknown) => new HubTokenizer(JSON.parse(JSON.stringify(json)), {})

function expectEqualIds(ours: Tokenizer, theirs: HubTokenizer, runs: number, seed: number): void {
  fc.assert(
    fc.property(anyText, (text) => {
      const ids = Array.from(ours.encode(text))
      expect(ids).toEqual(theirs.encode(text).ids)
      if (ids.length === 0) return
      const plain = { clean_up_tokenization_spaces: false }
      expect(ours.decode(ids)).toBe(theirs.decode(ids, plain))
      expect(ours.decode(ids, { skipSpecialTokens: true })).toBe(
        theirs.decode(ids, { ...plain, skip_special_tokens: true }),
      )
    }),
    { seed, numRuns: runs },
  )
  expect(Array.from(ours.encode(corpus))).toEqual(theirs.encode(corpus).ids)
}

describe('@huggingface/tokenizers loads our file and agrees on ids and text', () => {
  it.for([257, 263, 509, 1009])('with %i tokens', (vocabSize) => {
    const ours = trainTokenizer(corpus, { vocabSize })
    expectEqualIds(ours, hub(ours), 500, vocabSize)
  })

  it('with several special tokens, one the beginning of another', () => {
    const specialTokens = ['<|endof', '<|endoftext|>', '|>', '\n\n', '白鲸']
    const ours = trainTokenizer(corpus, { vocabSize: 401, specialTokens })
    expectEqualIds(ours, hub(ours), 500, 11)
  })

  it('without special tokens', () => {
    const ours = trainTokenizer(corpus, { vocabSize: 401, specialTokens: [] })
    expectEqualIds(ours, hub(ours), 300, 12)
  })
})

describe('we load a file of Hugging Face and agree on ids and text', () => {
  const file = huggingFace.tokenizer

  it('with merges as pairs', () => {
    expectEqualIds(Tokenizer.fromJSON(file), hub(file), 500, 13)
  })

  it('with merges as strings, as written before 2024', () => {
    const merges = file.model.merges.map((pair) => pair.join(' '))
    const older = { ...file, model: { ...file.model, merges } }
    expectEqualIds(Tokenizer.fromJSON(older), hub(older), 300, 14)
    expect(Tokenizer.fromJSON(older).toJSON()).toEqual(Tokenizer.fromJSON(file).toJSON())
  })

  it.for([
    ['a space before the text', { add_prefix_space: true }],
    ['merges across words', { use_regex: false }],
  ] as const)('with %s', ([, setting]) => {
    const changed = { ...file, pre_tokenizer: { ...file.pre_tokenizer, ...setting } }
    const ours = Tokenizer.fromJSON(changed)
    expectEqualIds(ours, hub(changed), 300, 15)
    expect(ours.encode('whale')).not.toEqual(
      'add_prefix_space' in setting ? Tokenizer.fromJSON(file).encode('whale') : ours.encode(' whale'),
    )
    expectEqualIds(ours, hub(ours), 300, 16)
  })

  it('with words taken whole before merges', () => {
    // Without its last merge, only a lookup of the whole word can give the token ' whale'.
    const merges = file.model.merges.filter(([left, right]) => left + right !== 'Ġwhale')
    expect(merges).toHaveLength(file.model.merges.length - 1)
    const changed = { ...file, model: { ...file.model, merges, ignore_merges: true } }
    expect(Array.from(Tokenizer.fromJSON(changed).encode(' whale'))).toEqual([file.model.vocab.Ġwhale])
    expectEqualIds(Tokenizer.fromJSON(changed), hub(changed), 300, 17)
  })

  it('with tokens added after the vocabulary, special or not', () => {
    const size = Object.keys(file.model.vocab).length
    const added = { single_word: false, lstrip: false, rstrip: false, normalized: true }
    const added_tokens = [
      ...file.added_tokens,
      { id: size, content: '👩‍👩‍👧', special: false, ...added },
      { id: size + 1, content: ' the', special: true, ...added },
    ]
    const ours = Tokenizer.fromJSON({ ...file, added_tokens })
    expect(ours.vocabSize).toBe(size + 2)
    expectEqualIds(ours, hub({ ...file, added_tokens }), 300, 18)
    expectEqualIds(ours, hub(ours), 300, 19)
  })
})
