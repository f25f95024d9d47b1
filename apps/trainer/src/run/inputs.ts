import { needsLaplacian, resolveConfig } from '@tau/model'
import { readTexts, type Texts } from '@tau/train'
import { UsageError } from '../config/errors.ts'
import type { Config } from '../config/schema.ts'
import { userPath } from '../paths.ts'

/** The configuration with absolute paths. So run.yaml has the same meaning in every folder. */
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

/** A library name with a slash is a file. The loader of the system finds any other name. */
const libraryPath = (blas: string | null): string | null => (blas?.includes('/') ? userPath(blas) : blas)

const NO_TEXT = 'data: there must be a text to read, got no files; pass --data FILE… or set data.files'

/** Checks, before anything is read or written, that the inputs are named. Throws UsageError. */
export function checkData({ data, manifold, model }: Config): void {
  if (data.files.length > 0 && data.shards !== undefined)
    throw new UsageError(
      `data: there must be files or shards, got both (${data.files[0]}, ${data.shards}); leave out --data or --data.shards`,
    )
  if (data.files.length === 0 && data.shards === undefined) throw new UsageError(NO_TEXT)
  const needsText =
    needsLaplacian(resolveConfig(model)) && manifold.path === undefined && manifold.embeddings === undefined
  if (data.shards !== undefined && needsText)
    throw new UsageError(
      `data: a text is needed to build the manifold, got only shards ${data.shards}, which hold token ids; pass --manifold or --embeddings`,
    )
}

/** Reads the text of the data section. Throws UsageError if the section names no files. */
export async function textsOf({ files, heldOut }: Config['data']): Promise<Texts> {
  if (files.length === 0) throw new UsageError(NO_TEXT)
  return readTexts(files.map(userPath), heldOut)
}
