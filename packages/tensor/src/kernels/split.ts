/** Whole numbers up to here are exact in f32: gpu.js divides indices in f32. */
export const EXACT_F32 = 2 ** 24
