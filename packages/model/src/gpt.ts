import type { LaplacianTensor } from '@tau/attention'
import {
  checkpoint,
  clamp,
  type Device,
  DTypeError,
  embedding,
  IGNORE_INDEX,
  linear,
  linearCrossEntropy,
  linearReluSquared,
  rmsNorm,
  ShapeError,
  shapeText,
  slice,
  softcap,
  Tensor,
} from '@tau/tensor'
import type { ParameterGroup } from '@tau/tensor/optim'
import { AttentionLayer, type LayerProbe } from './attention/layer.ts'
import { checkConfig, manifoldDim, needsLaplacian } from './config/config.ts'
import { headGroups } from './config/groups.ts'
import type { ModelConfig } from './config/model-config.ts'
import { DecodeState, type DecodeStateOptions } from './decode-state.ts'
import { parameterGroups, parameterSpecs } from './parameters/parameters.ts'
import { Encodings } from './position/shared.ts'

/** Hard bound of the logits. Part of the definition: docs/definition.md, section 4. */
const LOGIT_CLAMP = 50

export interface ForwardOptions {
  /** State of a sequence to continue. The tokens are its next positions. */
  state?: DecodeState
  /** Whether the softcap of the configuration bounds the logits, as in training. Default true. */
  softcap?: boolean
  /** Returns the logits of the newest position only, [B, 1, V]. Generation needs no others. */
  lastOnly?: boolean
  /** Keeps only the tensors between attention and MLP layers, and runs each layer again for its gradients.
   *  This takes a quarter more time and a fraction of the memory. The gradients are the same to the bit. It
   *  only affects {@link grad}. */
  checkpointActivations?: boolean
  /** Called once for each group of heads of each layer, with the values of its attention. */
  probe?: (probe: LayerProbe) => void
}

/** A GPT. Its attention is of any registered kind, such as λ-distance over a Laplacian (TauGPT) or scaled dot
 *  product (the baseline). All kinds share one trunk:
 *
 *   x ← x + attention(rmsnorm(x)), x ← x + W₂·relu(W₁·rmsnorm(x))², logits = clamp(W·rmsnorm(x), ±50), softly
 *   capped. Source: Moriondo, Topological Transformer (2026); docs/definition.md, section 5. */
export class GPT implements Disposable {
  readonly device: Device
  readonly config: ModelConfig
  /** Trainable tensors by name, in a fixed order. Linear weights are [out, in]. */
  readonly parameters: ReadonlyMap<string, Tensor>
  readonly laplacian: LaplacianTensor | undefined
  readonly attention: readonly AttentionLayer[]
  /** Positional encodings of all layers. */
  readonly #encodings: Encodings

  /** The model takes ownership of all tensors.
   *  @param laplacian has size manifoldDim; needed if a kind of attention needs one */
  constructor(
    device: Device,
    config: ModelConfig,
    parameters: ReadonlyMap<string, Tensor>,
    laplacian?: LaplacianTensor,
  ) {
    checkConfig(config)
    checkLaplacian(config, laplacian?.dim)
    checkParameters(config, parameters)
    this.device = device
    this.config = config
    this.parameters = parameters
    this.laplacian = laplacian
    this.#encodings = new Encodings(device, config.seqLen)
    this.attention = headGroups(config).map(
      (groups, i) =>
        new AttentionLayer(i, groups, {
          device,
          laplacian,
          parameter: (name) => this.#weight(`blocks.${i}.attn.${name}`),
          encodingOf: (group) => this.#encodings.of(group),
          outputGate: config.outputGate,
        }),
    )
  }

  /** Number of trainable values. */
  get parameterCount(): number {
    return Array.from(this.parameters.values()).reduce((sum, { size }) => sum + size, 0)
  }

  /** Groups of parameters that optimizers may treat differently. */
  get parameterGroups(): readonly ParameterGroup[] {
    return parameterGroups(this.config)
  }

  #weight(name: string): Tensor {
    const tensor = this.parameters.get(name)
    if (!tensor) throw new Error(`internal: model must have parameter ${name}`)
    return tensor
  }

  /** Checks token ids and copies them to a tensor [batch, length]. */
  tokens(ids: Int32Array | readonly number[], batch = 1): Tensor<'i32'> {
    return this.#ids('tokens', ids, batch)
  }

  /** Targets for {@link loss}: ids as for {@link tokens}, or −1 if a position does not count. */
  targets(ids: Int32Array | readonly number[], batch = 1): Tensor<'i32'> {
    return this.#ids('targets', ids, batch, IGNORE_INDEX)
  }

  #ids(op: string, ids: Int32Array | readonly number[], batch: number, besides?: number): Tensor<'i32'> {
    const { vocabSize } = this.config
    const fits = (id: number) => id === besides || (Number.isInteger(id) && id >= 0 && id < vocabSize)
    const bad = ids.findIndex((id) => !fits(id))
    if (bad >= 0)
      throw new RangeError(
        `${op}: ids must be between 0 and ${vocabSize - 1}${besides === undefined ? '' : `, or ${besides} to skip`}, got ${ids[bad]} at ${bad}; use the model's own tokenizer`,
      )
    if (!(Number.isInteger(batch) && batch >= 1) || ids.length === 0 || ids.length % batch !== 0)
      throw new ShapeError(
        `${op}: ids must fill ${batch} sequences of equal length, at least one token each, got ${ids.length} ids`,
      )
    return this.device.tensor(ids, [batch, ids.length / batch], 'i32')
  }

  /** tokens [B, T] → logits [B, T, V]. Throws if the sequence gets longer than seqLen, unless the state has
   *  bounded caches. Also throws if the state belongs to another model. */
  forward(tokens: Tensor<'i32'>, options: ForwardOptions = {}): Tensor {
    const x = this.#trunk(tokens, options)
    const logits = clamp(linear(x, this.#weight('lm_head.weight')), -LOGIT_CLAMP, LOGIT_CLAMP)
    const cap = this.#softcap(options)
    return cap === null ? logits : softcap(logits, cap)
  }

  /** Mean cross-entropy of the logits of {@link forward}, in nats per token. The logits are never in memory
   *  as a whole. */
  loss(tokens: Tensor<'i32'>, targets: Tensor<'i32'>, options: ForwardOptions = {}): Tensor {
    const bounds = { clamp: LOGIT_CLAMP, softcap: this.#softcap(options) }
    return linearCrossEntropy(this.#trunk(tokens, options), this.#weight('lm_head.weight'), targets, bounds)
  }

  #softcap({ softcap: isCapped = true }: ForwardOptions): number | null {
    return isCapped ? this.config.softcap : null
  }

  /** tokens [B, T] → input of the output layer, [B, T, C]. */
  #trunk(tokens: Tensor<'i32'>, options: ForwardOptions): Tensor {
    const { state, probe } = options
    this.#checkLength(tokens, state)
    let x = embedding(this.#weight('wte.weight'), tokens) // [B, T, C]
    const isCheckpointed = options.checkpointActivations === true
    if (isCheckpointed && (state || probe))
      throw new Error(
        `forward: checkpointActivations must be off with a ${state ? 'state' : 'probe'}, got both; a layer runs twice`,
      )
    const run = (f: (x: Tensor) => Tensor, input: Tensor) =>
      isCheckpointed ? checkpoint(f, [input]) : f(input)
    this.attention.forEach((attention, layer) => {
      x = run((y) => attention.forward(rmsNorm(y), y, state?.layers[layer], probe), x)
      x = run((y) => this.#mlp(rmsNorm(y), y, layer), x)
    })
    if (options.lastOnly) x = slice(x, 1, x.shape[1] - 1, x.shape[1])
    return rmsNorm(x)
  }

  #mlp(x: Tensor, residual: Tensor, layer: number): Tensor {
    const hidden = linearReluSquared(x, this.#weight(`blocks.${layer}.mlp.c_fc.weight`))
    return linear(hidden, this.#weight(`blocks.${layer}.mlp.c_proj.weight`), residual)
  }

  /** Memory for decoding `batch` sequences step by step, with the parameters of now. Throws if the model or
   *  its device has no cache of the form asked for. */
  decodeState(batch = 1, options: DecodeStateOptions = {}): DecodeState {
    return DecodeState.empty(this, batch, options)
  }

  /** Whether {@link decodeState} can have bounded caches. */
  get hasBoundedCache(): boolean {
    return this.attention.every(({ groups }) => groups.every(({ kind }) => kind.hasBoundedCache))
  }

  #checkLength(tokens: Tensor<'i32'>, state: DecodeState | undefined): void {
    if (!(tokens instanceof Tensor) || tokens.dtype !== 'i32')
      throw new DTypeError(
        `forward: tokens must be an i32 tensor, got ${tokens instanceof Tensor ? tokens.dtype : typeof tokens}; model.tokens(ids) makes one`,
      )
    if (tokens.rank !== 2 || tokens.size === 0)
      throw new ShapeError(
        `forward: tokens must be [batch, length], with batch and length at least 1, got ${shapeText(tokens.shape)}`,
      )
    const [batch, length] = tokens.shape
    if (state && state.config !== this.config)
      throw new Error(
        `forward: state must come from decodeState of this model, got the state of another model with ${state.layers.length} layers`,
      )
    if (state && state.batch !== batch)
      throw new ShapeError(`forward: tokens must continue the state's ${state.batch} sequences, got ${batch}`)
    const total = (state?.length ?? 0) + length
    if (total > (state?.maxLength ?? this.config.seqLen))
      throw new ShapeError(
        `forward: sequence must have at most seqLen = ${this.config.seqLen} tokens, got ${total}; shorten it or train a longer model`,
      )
  }

  [Symbol.dispose](): void {
    for (const tensor of this.parameters.values()) tensor.dispose()
    this.laplacian?.[Symbol.dispose]()
    this.#encodings[Symbol.dispose]()
  }
}

/** Throws unless the model can use a Laplacian of size `dim`. Undefined: there is none. */
export function checkLaplacian(config: ModelConfig, dim: number | undefined): void {
  if (dim === undefined && needsLaplacian(config))
    throw new Error(
      'GPT: tau attention must have a Laplacian, got none; build one with buildManifold of @tau/graph',
    )
  const wanted = manifoldDim(config)
  if (dim !== undefined && dim !== wanted)
    throw new ShapeError(
      `GPT: Laplacian must be [manifoldDim, manifoldDim] = [${wanted}, ${wanted}], got [${dim}, ${dim}]; build it for this dimension`,
    )
}

function checkParameters(config: ModelConfig, parameters: ReadonlyMap<string, Tensor>): void {
  const specs = parameterSpecs(config)
  for (const { name, shape } of specs) {
    const tensor = parameters.get(name)
    if (!tensor)
      throw new Error(
        `GPT: parameters must hold ${name}, got none of that name; use config and weights of the same model`,
      )
    if (shapeText(tensor.shape) !== shapeText(shape))
      throw new ShapeError(`GPT: ${name} must be ${shapeText(shape)}, got ${shapeText(tensor.shape)}`)
  }
  const expected = new Set(specs.map(({ name }) => name))
  for (const name of parameters.keys())
    if (!expected.has(name))
      throw new Error(
        `GPT: parameters must only be those of the configuration, got also ${name}; use config and weights of the same model`,
      )
}
