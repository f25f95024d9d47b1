import { resolveConfig } from '@tau/model'
import { Document, isMap, isScalar } from 'yaml'
import { configSections } from './fields.ts'
import { withOptimizerDefaults } from './optimizer.ts'
import type { Config } from './schema.ts'

/** The configuration with every value written out that preset, size and optimizer stand for.
 *  `model.vocabSize` is left out, because the tokenizer decides it. `tokenizer.vocabSize` is added only if
 *  the tokenizer is learned, because a tokenizer that is loaded already has its size. */
export function expandConfig(config: Config): Config {
  const { vocabSize, ...model } = resolveConfig(config.model)
  return {
    ...config,
    tokenizer: config.tokenizer.path === undefined ? { vocabSize, ...config.tokenizer } : config.tokenizer,
    model: { ...config.model, ...model },
    train: withOptimizerDefaults(config.train),
  }
}

/** The configuration as YAML, with a description of each key. Reading the YAML gives the same
 *  configuration. */
export function configYaml(config: Config): string {
  const document = new Document(JSON.parse(JSON.stringify(expandConfig(config))))
  const sections = configSections()
  for (const { name, description, fields } of sections) {
    const section = name === '' ? document.contents : document.get(name, true)
    if (!isMap(section)) continue
    for (const pair of section.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : ''
      const field = fields.find(({ path }) => path === (name === '' ? key : `${name}.${key}`))
      if (field !== undefined && isScalar(pair.value)) pair.value.comment = ` ${field.description}`
    }
    if (description !== '') section.commentBefore = ` ${description}`
  }
  return document.toString({ lineWidth: 0 })
}
