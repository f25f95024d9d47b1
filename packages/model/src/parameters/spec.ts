import { exp, type Tensor } from '@tau/tensor'

/** The init of a parameter. */
export type Init =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'normal'; readonly std: number }
  | { readonly kind: 'constant'; readonly value: number }
  /** Evenly spaced from the first element to the last. */
  | { readonly kind: 'spread'; readonly first: number; readonly last: number }

export interface ParameterSpec {
  readonly name: string
  readonly shape: readonly number[]
  readonly init: Init
  /** Whether it maps vectors to vectors between the embedding and the output layer: see {@link
   *  parameterGroups}. */
  readonly isHidden?: boolean
}

/** Weights [out, in] of a linear map. They are normal with standard deviation 1/√in, which keeps the size of
 *  activations. */
export const linearSpec = (name: string, out: number, inputs: number): ParameterSpec => ({
  name: `${name}.weight`,
  shape: [out, inputs],
  init: { kind: 'normal', std: 1 / Math.sqrt(inputs) },
  isHidden: true,
})

/** How learned positive numbers are stored. Logarithms keep them positive during training. */
type PositiveAs = 'log' | 'plain'

/** A learned positive number per head. */
export const positiveSpec = (
  positiveAs: PositiveAs,
  name: string,
  heads: number,
  value: number,
): ParameterSpec =>
  positiveAs === 'log'
    ? { name: `log_${name}`, shape: [heads], init: { kind: 'constant', value: Math.log(value) } }
    : { name, shape: [heads], init: { kind: 'constant', value } }

/** The numbers of a {@link positiveSpec}, [heads]. */
export const positiveValues = (
  positiveAs: PositiveAs,
  name: string,
  parameter: (name: string) => Tensor,
): Tensor => (positiveAs === 'log' ? exp(parameter(`log_${name}`)) : parameter(name))
