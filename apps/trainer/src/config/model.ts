import {
  attentionKinds,
  type Field,
  type ModelOptions,
  modelFields,
  type PresetName,
  presets,
  type SizeName,
  sizes,
} from '@tau/model'
import { z } from 'zod'

// The schema of the model section. It comes from the fields that the model package and the registered kinds
// of attention describe.

type ModelSection = Omit<ModelOptions, 'vocabSize'> & { readonly preset: PresetName; readonly size: SizeName }

const names = <T extends object>(table: T) => z.enum(Object.keys(table) as [Extract<keyof T, string>])

/** Schema of the model section. `vocabSize` is left out, because the tokenizer decides it. */
export function modelSection() {
  const { vocabSize: _, ...fields } = modelFields()
  return z
    .strictObject({
      preset: names(presets).default('default').meta({
        description:
          'Design of the attention: default is the best that we measured, paper is the published one',
      }),
      size: names(sizes).default('nano').meta({
        description: 'Named size: sets layers, heads, width, context and vocabulary',
      }),
      ...Object.fromEntries(
        Object.entries(fields).map(([name, field]) => [
          name,
          (name === 'attention' ? kindNames() : valueSchema(field)).optional().meta(metaOf(name, field)),
        ]),
      ),
      layers: z
        .array(z.array(z.record(z.string(), z.unknown())))
        .nullable()
        .optional()
        .meta({
          description:
            'Groups of heads, if heads differ: one list of groups per layer, repeated over the layers',
          isJson: true,
          value: 'json',
          none: 'all heads are equal',
        }),
    })
    .transform((values): ModelSection => values)
}

const kindNames = () => z.enum(attentionKinds().map(({ name }) => name) as [string, ...string[]])

function metaOf(name: string, field: Field): Record<string, unknown> {
  const { help, otherwise } = field
  const kinds = attentionKinds().map((kind) => `${kind.name}, ${kind.about}`)
  return {
    description: name === 'attention' ? `${help}: ${kinds.join('; ')}` : help,
    ...(otherwise !== undefined && { otherwise }),
    ...(field.kind === 'number' && field.unit !== undefined && { unit: field.unit }),
    ...(field.kind === 'number' && field.none !== undefined && { none: field.none }),
  }
}

function valueSchema(field: Field): z.ZodType {
  switch (field.kind) {
    case 'switch':
      return z.boolean()
    case 'choice':
      return z.enum(field.of)
    case 'text':
      return z.string().min(1)
    case 'number': {
      const { whole, above, atLeast, atMost, none } = field
      let number: z.ZodNumber = whole ? z.int() : z.number()
      if (above !== undefined) number = number.gt(above)
      if (atLeast !== undefined) number = number.min(atLeast)
      if (atMost !== undefined) number = number.max(atMost)
      return none === undefined ? number : number.nullable()
    }
  }
}
