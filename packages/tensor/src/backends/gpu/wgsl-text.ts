/** Functions for hand-written kernels, as WGSL. */

/** `is_nan(v)` looks at the bits, because compilers for GPUs may assume that no NaN exists. */
export const IS_NAN_WGSL = `
fn is_nan(v : f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }`

/** `exp_of(v)`: e^v. NaN stays NaN; a GPU's own exp makes it infinity. Needs {@link IS_NAN_WGSL}. */
export const EXP_WGSL = `
fn exp_of(v : f32) -> f32 { return select(exp(v), v, is_nan(v)); }`

/** `log_of(v)`: log v for v ≥ 0.6. A GPU's own log has an error of 5e-7 near 1. There this uses log v =
 *  2·atanh((v − 1) / (v + 1)) by its series, with a relative error of 1e-8. Needs {@link IS_NAN_WGSL}. */
export const LOG_WGSL = `
fn log_of(v : f32) -> f32 {
  if (v > 1.6 || is_nan(v)) { return select(log(v), v, is_nan(v)); }
  let s = (v - 1.0) / (v + 1.0);
  let q = s * s;
  return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0))))));
}`

/** `tanh_of(v)`: tanh v. A GPU computes tanh from exponentials: it gives ∞ / ∞ for large v, and 0 for small
 *  v. For |v| < 1 this uses Lambert's continued fraction, with a relative error of 1e-10. Beyond ±15 it is
 *  ±1, because 1 − tanh 15 is below the resolution of f32. Needs {@link IS_NAN_WGSL}. */
export const TANH_WGSL = `
fn tanh_of(v : f32) -> f32 {
  if (abs(v) > 15.0 && !is_nan(v)) { return sign(v); }
  let q = v * v;
  if (q >= 1.0) { return tanh(v); }
  return v / (1.0 + q / (3.0 + q / (5.0 + q / (7.0 + q / (9.0 + q / 11.0)))));
}`

/** `sum_of(thread, v)` and `max_of(thread, v)`: fold one value per thread of a workgroup and return the
 *  result to all threads. The order is always the same. The number of threads is a power of 2. Values of
 *  `max_of` must not be NaN. Either all threads call them or none.
 *  The fold has two steps, because a barrier costs more than a few sums, most of all if a CPU emulates the
 *  GPU. */
export const foldWgsl = (threads: number): string => {
  const groups = 2 ** Math.floor(Math.log2(threads) / 2)
  const fold = (name: string, first: string, step: string) => `
fn ${name}(thread : u32, v : f32) -> f32 {
  folded[thread] = v;
  workgroupBarrier();
  if (thread < ${groups}u) {
    var part = ${first};
    for (var i = thread; i < ${threads}u; i += ${groups}u) { part = ${step.replace('V', 'folded[i]')}; }
    parts_folded[thread] = part;
  }
  workgroupBarrier();
  var part = parts_folded[0];
  for (var i = 1u; i < ${groups}u; i++) { part = ${step.replace('V', 'parts_folded[i]')}; }
  return part;
}`
  return `
var<workgroup> folded : array<f32, ${threads}>;
var<workgroup> parts_folded : array<f32, ${groups}>;
${fold('sum_of', '0.0', 'part + V')}
${fold('max_of', 'folded[thread]', 'max(part, V)')}`
}
