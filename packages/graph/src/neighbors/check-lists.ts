import { checkNumbers, checkOptions, GraphError } from '../errors.ts'

interface Lists {
  nNodes: number
  indptr: ArrayLike<number>
  indices: ArrayLike<number>
}

/** Checks lists that came from outside. Throws GraphError unless there is one list per node, all indices are
 *  nodes, and each entry has a value that passes `isRight`. `rule` ends "… must be". */
export const checkLists = (
  op: string,
  lists: Lists,
  values: ArrayLike<number>,
  { name, rule, isRight }: { name: string; rule: string; isRight: (value: number) => boolean },
): void => {
  checkOptions(op, lists, `{ nNodes, indptr, indices, ${name} }`)
  const { nNodes, indptr, indices } = lists
  for (const [field, list] of Object.entries({ indptr, indices, [name]: values }))
    checkNumbers(op, field, list)
  if (!Number.isSafeInteger(nNodes) || nNodes < 0 || indptr.length !== nNodes + 1 || indptr[0] !== 0) {
    throw new GraphError(
      `${op}: indptr must have nNodes + 1 elements from 0 on, got ${indptr.length} from ${indptr[0]} for ${nNodes} nodes`,
    )
  }
  if (indices.length !== indptr[nNodes] || values.length !== indices.length) {
    throw new GraphError(
      `${op}: indices and ${name} must have as many elements as indptr says, ${indptr[nNodes]}, got ${indices.length} and ${values.length}`,
    )
  }
  for (let i = 0; i < nNodes; i++) {
    if (indptr[i + 1] < indptr[i]) {
      throw new GraphError(
        `${op}: indptr must not decrease, got ${indptr[i]} then ${indptr[i + 1]} at node ${i}`,
      )
    }
    for (let e = indptr[i]; e < indptr[i + 1]; e++) {
      if (!(indices[e] >= 0 && indices[e] < nNodes)) {
        throw new GraphError(
          `${op}: neighbours must be nodes from 0 to ${nNodes - 1}, got ${indices[e]} in the list of node ${i}`,
        )
      }
      if (!isRight(values[e])) {
        throw new GraphError(
          `${op}: ${name} must be ${rule}, got ${values[e]} from node ${i} to ${indices[e]}`,
        )
      }
    }
  }
}
