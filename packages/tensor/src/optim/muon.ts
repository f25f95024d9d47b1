import { ShapeError, shapeText } from '../errors.ts'
import { zeros } from '../kernels/fill/fill.ts'
import { sgdUpdate } from '../kernels/sgd/sgd.ts'
import { adamw } from './adamw.ts'
import type { CommonOptions, NamedTensors } from './optimizer.ts'
import type { OptionValues } from './options.ts'
import { MAX_ITERATIONS, orthogonalize } from './orthogonalize.ts'
import { RuleOptimizer, type UpdateRule } from './rule.ts'
import { sgd } from './sgd.ts'

const options = {
  momentum: { ...sgd.options.momentum, default: 0.95 },
  nsSteps: {
    kind: 'count',
    default: 5,
    min: 1,
    max: MAX_ITERATIONS,
    help: 'Newton-Schulz iterations that make an update orthogonal',
  },
  ...adamw.options,
} as const

export type MuonOptions = CommonOptions & Partial<OptionValues<typeof options>>

/** Root mean square of an update's elements divided by lr: about the same as for AdamW's updates. */
const UPDATE_RMS = 0.2

/** How {@link Muon} updates a parameter. */
export const muon: UpdateRule<typeof options> = {
  name: 'muon',
  title: 'Muon',
  help: 'orthogonal updates of hidden weights, AdamW for the rest',
  options,
  slots(parameter, options) {
    const { name, isHidden, tensor } = parameter
    if (!isHidden) return adamw.slots(parameter, options)
    if (tensor.rank !== 2)
      throw new ShapeError(
        `Muon: hidden weights must be matrices, got ${name} ${shapeText(tensor.shape)}; take it out of the group`,
      )
    return { velocity: tensor.shape }
  },
  update(target, step, options) {
    const { parameter, grad, slots, norm } = target
    if (!parameter.isHidden) return adamw.update(target, step, options)
    const { tensor, weightDecay } = parameter
    const { momentum, nsSteps } = options
    using _scope = tensor.device.scope()
    // The step G + momentum·V of Nesterov's gradient descent: a learning rate of −1 adds it to zeros.
    const direction = zeros(tensor.device, tensor.shape)
    const along = { lr: -1, momentum, nesterov: true, weightDecay: 0, maxNorm: step.maxNorm }
    sgdUpdate(direction, grad, slots.velocity, norm, along)
    const { matrix, size } = orthogonalize(direction, nsSteps)
    // An orthogonal matrix has elements of root mean square 1 / √(longer side).
    const factor = size * UPDATE_RMS * Math.sqrt(Math.max(...tensor.shape))
    sgdUpdate(tensor, matrix, undefined, norm, {
      lr: step.lr * factor,
      weightDecay: weightDecay / factor,
      momentum: 0,
      nesterov: false,
      maxNorm: Number.POSITIVE_INFINITY,
    })
  },
}

/** Muon moves hidden weights W [out, in] along the orthogonal matrix that is nearest to their Nesterov
 *  momentum:
 *  V ← momentum·V + G, W ← W·(1 − lr·weightDecay) − lr·0.2·√max(out, in) · orthogonal(G + momentum·V).
 *  AdamW updates all other parameters with the same learning rate. The factor 0.2·√max(out, in) makes this
 *  possible, because it gives the updates of both about the same root mean square. Groups with `isHidden` say
 *  which weights are hidden.
 *  It keeps one array of the size of each hidden weight, and two for each other parameter.
 *  Source: Jordan et al., Muon: An optimizer for hidden layers in neural networks (2024,
 *  kellerjordan.github.io/posts/muon). The factor and the weight decay: Liu et al., Muon is Scalable for LLM
 *  Training (2025, arXiv:2502.16982), equation 4. */
export class Muon extends RuleOptimizer<typeof options> {
  constructor(parameters: NamedTensors, options: MuonOptions = {}) {
    super(muon, parameters, options)
  }
}
