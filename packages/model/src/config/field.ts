// A field of the configuration describes itself: its default, its rule and one line of help. Checks, presets,
// config.json and the flags of the command are made from tables of fields.

export type FieldValue = number | string | boolean | null

interface Shared<T> {
  /** One line of help, without a full stop. */
  readonly help: string
  readonly default: T
  /** Values in presets other than `default`. */
  readonly presets?: { readonly paper?: T }
  /** Value for an older file, which lacks the field. Undefined: the field has always existed, so a file must
   *  have it. */
  readonly absent?: T
  /** The default in words, if `default` does not say it. */
  readonly otherwise?: string
}

export interface NumberField<T extends number | null = number> extends Shared<T> {
  readonly kind: 'number'
  readonly whole?: boolean
  readonly above?: number
  readonly atLeast?: number
  readonly atMost?: number
  readonly unit?: string
  /** Meaning of null. Undefined: null is not allowed. */
  readonly none?: string
}

export interface ChoiceField<T extends string = string> extends Shared<T> {
  readonly kind: 'choice'
  readonly of: readonly T[]
}

export interface SwitchField extends Shared<boolean> {
  readonly kind: 'switch'
}

export interface TextField extends Shared<string> {
  readonly kind: 'text'
  readonly pattern: RegExp
  /** The pattern in words, after "must". */
  readonly rule: string
}

export type Field = NumberField | NumberField<number | null> | ChoiceField | SwitchField | TextField
export type Fields = Readonly<Record<string, Field>>

/** The values of a table of fields. */
export type OptionsOf<F extends Fields> = string extends keyof F
  ? Record<string, FieldValue>
  : {
      -readonly [K in keyof F]: F[K] extends ChoiceField<infer T>
        ? T
        : F[K] extends SwitchField
          ? boolean
          : F[K] extends TextField
            ? string
            : F[K] extends NumberField
              ? number
              : number | null
    }

type Rest<F extends Field> = Omit<F, 'kind'>

export const number = (field: Rest<NumberField>): NumberField => ({ kind: 'number', ...field })
export const numberOrNull = (
  field: Rest<NumberField<number | null>> & { readonly none: string },
): NumberField<number | null> => ({ kind: 'number', ...field })
export const choice = <const T extends string>(field: Rest<ChoiceField<T>>): ChoiceField<T> => ({
  kind: 'choice',
  ...field,
})
export const flag = (field: Rest<SwitchField>): SwitchField => ({ kind: 'switch', ...field })
export const text = (field: Rest<TextField>): TextField => ({ kind: 'text', ...field })

/** Throws an error about a field. `rule` completes "must …"; `next` says what to do. */
export type Fail = (field: string, rule: string, next: string) => never

/** The rule that a value breaks, as the words after "must". Undefined if the value is valid. */
export function brokenRule(field: Field, value: unknown): string | undefined {
  switch (field.kind) {
    case 'choice':
      return field.of.some((allowed) => allowed === value) ? undefined : `be one of ${field.of.join(', ')}`
    case 'switch':
      return typeof value === 'boolean' ? undefined : 'be one of true, false'
    case 'text':
      return typeof value === 'string' && field.pattern.test(value) ? undefined : field.rule
    case 'number':
      return fitsNumber(field, value) ? undefined : numberRule(field)
  }
}

type NumberRules = Pick<NumberField, 'none' | 'whole' | 'above' | 'atLeast' | 'atMost'>

function fitsNumber({ none, whole, above, atLeast, atMost }: NumberRules, value: unknown) {
  if (value === null) return none !== undefined
  return (
    typeof value === 'number' &&
    (whole ? Number.isInteger(value) : Number.isFinite(value)) &&
    (above === undefined || value > above) &&
    (atLeast === undefined || value >= atLeast) &&
    (atMost === undefined || value <= atMost)
  )
}

function numberRule({ none, whole, above, atLeast, atMost }: NumberRules): string {
  const bounds =
    atLeast !== undefined && atMost !== undefined
      ? ` from ${atLeast} to ${atMost}`
      : above !== undefined
        ? ` above ${above}`
        : atLeast !== undefined
          ? ` of at least ${atLeast}`
          : ''
  return `be a ${whole ? 'whole' : 'finite'} number${bounds}${none === undefined ? '' : ', or null'}`
}

export const PRESETS = ['default', 'paper'] as const
export type PresetName = (typeof PRESETS)[number]

/** The value of a field in a preset. */
export const presetValue = ({ default: value, presets }: Field, preset: PresetName): FieldValue =>
  preset === 'default' ? value : (presets?.[preset] ?? value)
