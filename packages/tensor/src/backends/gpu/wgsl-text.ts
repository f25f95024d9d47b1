/** Parts of hand-written kernels, as WGSL. */

/** `is_nan(v)`, by its bits: compilers for GPUs may take it that no NaN exists. */
export const IS_NAN_WGSL = `
fn is_nan(v : f32) -> bool { return (bitcast<u32>(v) & 0x7fffffffu) > 0x7f800000u; }`

/** `exp_of(v)`: e^v, NaN for NaN, of which a GPU makes infinity. Needs {@link IS_NAN_WGSL}. */
export const EXP_WGSL = `
fn exp_of(v : f32) -> f32 { return select(exp(v), v, is_nan(v)); }`

/** `log_of(v)` for v ≥ 0.6. A GPU's is good to 5e-7 near 1, where log v = 2·atanh((v − 1) / (v + 1)), by its series to 1e-8 of it. */
export const LOG_WGSL = `
fn log_of(v : f32) -> f32 {
  if (v > 1.6 || is_nan(v)) { return select(log(v), v, is_nan(v)); }
  let s = (v - 1.0) / (v + 1.0);
  let q = s * s;
  return 2.0 * s * (1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0))))));
}`

/** `tanh_of(v)`. That of a GPU is made of exponentials: ∞ / ∞ for large v, and 0 for small ones. Below 1 it is Lambert's continued
 *  fraction, to 1e-10 of it; 1 − tanh 15 is below f32's resolution. Needs {@link IS_NAN_WGSL}. */
export const TANH_WGSL = `
fn tanh_of(v : f32) -> f32 {
  if (abs(v) > 15.0 && !is_nan(v)) { return sign(v); }
  let q = v * v;
  if (q >= 1.0) { return tanh(v); }
  return v / (1.0 + q / (3.0 + q / (5.0 + q / (7.0 + q / (9.0 + q / 11.0)))));
}`

/** `sum_of(thread, v)` and `max_of(thread, v)`: folds a value of each of a workgroup's threads, a power of 2, in the same order every
 *  time, and gives all of them the result. The values of `max_of` are not NaN. To be called by all threads or none. In two steps, for
 *  a barrier costs more than a few sums, most of all where a CPU plays the GPU. */
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
