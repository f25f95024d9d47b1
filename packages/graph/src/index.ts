export {
  type AffinityOptions,
  affinity,
  impliedDistance,
  type Kernel,
  kernelWeight,
  type WeightedLists,
} from './affinity.ts'
