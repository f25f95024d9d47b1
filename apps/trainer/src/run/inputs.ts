import { needsLaplacian, resolveConfig } from '@tau/model'
import { readTexts, type Texts } from '@tau/train'
import { UsageError } from '../config/errors.ts'
import type { Config } from '../config/schema.ts'
import { userPath } from '../paths.ts'

/** The configuration with absolute paths, so that run.yaml means the same from everywhere. */
export function absolutePaths(config: Config): Config {
  const { data, tokenizer, manifold, device } = config
  const absolute = <K extends string>(key: K, path: string | undefined) =>
    path === undefined ? {} : { [key]: userPath(path) }
  return {
    ...config,
    data: { ...data, files: data.files.map(userPath), ...absolute('shards', data.shards) },
    tokenizer: { ...tokenizer, ...absolute('path', tokenizer.path) },
    manifold: {
      ...manifold,
      ...absolute('path', manifold.path),
      ...absolute('embeddings', manifold.embeddings),
    },
    device: { ...device, blas: libraryPath(device.blas) },
    out: userPath(config.out),
  }
}

/** A library with a slash in it is a file; any other name is the system loader's to find. */
const libraryPath = (blas: string | null): string | null => (blas?.includes('/') ? userPath(blas) : blas)

const NO_TEXT = 'data: there must be a text to read, got no files; pass --data FILE… or set data.files'

/** What can be known to be missing before anything is read or written. */
export function checkData({ data, manifold, model }: Config): void {
  if (data.files.length > 0 && data.shards !== undefined)
    throw new UsageError(
      `data: there must be files or shards, got both (${data.files[0]}, ${data.shards}); leave one out`,
    )
  if (data.files.length === 0 && data.shards === undefined) throw new UsageError(NO_TEXT)
  const needsText =
    needsLaplacian(resolveConfig(model)) && manifold.path === undefined && manifold.embeddings === undefined
  if (data.shards !== undefined && needsText)
    throw new UsageError(
      `data: shards hold no text to build a manifold from, got ${data.shards} alone; pass --manifold or --embeddings`,
    )
}

/** The text of the data section, which must name files. */
export async function textsOf({ files, heldOut }: Config['data']): Promise<Texts> {
  if (files.length === 0) throw new UsageError(NO_TEXT)
  return readTexts(files.map(userPath), heldOut)
}
