import { integerField, messageField, textField } from './protobuf.ts'

// ONNX models of a few hundred bytes. The numbers of fields are those of
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

/** Operators that are ONNX Runtime's own. */
export const MICROSOFT = 'com.microsoft'

export interface OnnxValue {
  readonly name: string
  readonly type: 'float32' | 'int32'
  readonly shape: readonly number[]
}

export interface OnnxNode {
  readonly operator: string
  /** Default: ONNX's own operators. */
  readonly domain?: string
  readonly attributes?: Readonly<Record<string, number>>
  /** Names of values. An empty name leaves an optional input out. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
}

/** A graph with one output. */
export interface OnnxModel {
  readonly nodes: readonly OnnxNode[]
  readonly inputs: readonly OnnxValue[]
  readonly output: OnnxValue
}

/** Versions of the format and of the two sets of operators. */
const [IR_VERSION, ONNX_VERSION, MICROSOFT_VERSION] = [10, 21, 1]
/** TensorProto.DataType */
const ELEMENT_TYPES = { float32: 1, int32: 6 } as const
/** AttributeProto.AttributeType.INT */
const INT = 2

/** The bytes of a model: a ModelProto. */
export const encodeModel = ({ nodes, inputs, output }: OnnxModel): Uint8Array =>
  Buffer.concat([
    integerField(1, IR_VERSION),
    messageField(
      7, // GraphProto
      ...nodes.map(encodeNode),
      textField(2, 'bench'),
      ...inputs.map((input) => encodeValue(11, input)),
      encodeValue(12, output),
    ),
    messageField(8, textField(1, ''), integerField(2, ONNX_VERSION)), // OperatorSetIdProto
    messageField(8, textField(1, MICROSOFT), integerField(2, MICROSOFT_VERSION)),
  ])

/** A NodeProto. Its attributes are integers. */
const encodeNode = ({ operator, domain = '', attributes = {}, inputs, outputs }: OnnxNode): Uint8Array =>
  messageField(
    1,
    ...inputs.map((name) => textField(1, name)),
    ...outputs.map((name) => textField(2, name)),
    textField(4, operator),
    ...Object.entries(attributes).map(([name, value]) =>
      messageField(5, textField(1, name), integerField(3, value), integerField(20, INT)),
    ),
    textField(7, domain),
  )

/** A ValueInfoProto. */
function encodeValue(field: number, { name, type, shape }: OnnxValue): Uint8Array {
  const sizes = shape.map((size) => messageField(1, integerField(1, size)))
  const tensor = messageField(1, integerField(1, ELEMENT_TYPES[type]), messageField(2, ...sizes))
  return messageField(field, textField(1, name), messageField(2, tensor))
}

/** The same computation, but only one row along `axis` of the output is handed out. ONNX Runtime copies every
 *  output into a new array, and that copy would be timed too. Which row is an input, so the runtime cannot
 *  leave work out. */
export const oneRowOf = ({ nodes, inputs, output }: OnnxModel, axis: number): OnnxModel => ({
  nodes: [
    ...nodes,
    { operator: 'Gather', attributes: { axis }, inputs: [output.name, 'row'], outputs: ['row_of'] },
  ],
  inputs: [...inputs, { name: 'row', type: 'int32', shape: [1] }],
  output: { name: 'row_of', type: output.type, shape: output.shape.with(axis, 1) },
})

/** A product of two squares. Both are inputs: ONNX Runtime packs a constant once, before any timing. */
export const productModel = (size: number): OnnxModel => ({
  nodes: [{ operator: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
  inputs: ['a', 'b'].map((name) => ({ name, type: 'float32', shape: [size, size] })),
  output: { name: 'c', type: 'float32', shape: [size, size] },
})

/** Causal softmax attention of one sequence: queries, keys, values and output are [1, T, H·D].
 *  GroupQueryAttention is the operator with a fused causal kernel, which holds no T × T scores. It also
 *  returns its cache of keys and values. Without these two outputs it takes a slower way, so they stay inside
 *  of the graph. */
export function attentionModel(heads: number, length: number, dim: number): OnnxModel {
  const shape = [1, length, heads * dim]
  const projected: OnnxValue[] = ['query', 'key', 'value'].map((name) => ({ name, type: 'float32', shape }))
  const [pastKey, pastValue] = ['', '']
  const lengths: OnnxValue[] = ['last', 'total'].map((name) => ({ name, type: 'int32', shape: [1] }))
  return {
    nodes: [
      {
        operator: 'GroupQueryAttention',
        domain: MICROSOFT,
        attributes: { num_heads: heads, kv_num_heads: heads },
        inputs: ['query', 'key', 'value', pastKey, pastValue, 'last', 'total'],
        outputs: ['output', 'present_key', 'present_value'],
      },
    ],
    inputs: [...projected, ...lengths],
    output: { name: 'output', type: 'float32', shape },
  }
}
