/** Text for kernels: functions that GPUs compute wrongly or imprecisely. */

/** Whether v is NaN. `v !== v` is false on WebGPU, because its comparisons may assume that no NaN exists. */
export const isNanText = (v: string): string => `!(${v} <= 0 || ${v} > 0)`

/** e^d. NaN stays NaN; a GPU's own exp makes it infinity. */
export const expText = (d: string): string => `(${d} <= 0 || ${d} > 0 ? Math.exp(${d}) : ${d})`

/** Statements that make `name` = tanh v. A GPU computes tanh from exponentials: it gives ∞ / ∞ for large v,
 *  and 0 for small v. For |v| < 1 this uses Lambert's continued fraction, with a relative error of 1e-10.
 *  Beyond ±15 it is ±1, because 1 − tanh 15 is below the resolution of f32. */
export const tanhText = (name: string, v: string): string => {
  const q = `${name}Square`
  const fraction = [9, 7, 5, 3, 1].reduce((rest, n) => `(${n}.0 + ${q} / ${rest})`, '11.0')
  return `
    const ${q} = ${v} * ${v}
    let ${name} = ${v} / ${fraction}
    if (${q} >= 1) { ${name} = Math.tanh(${v}) }
    if (${v} > 15) { ${name} = 1.0 }
    if (${v} < -15) { ${name} = -1.0 }`
}

/** 2·atanh s = log((1 + s) / (1 − s)) by its series, with a relative error of 1e-8 for |s| ≤ 1/3. `q` is
 *  s². */
const twiceAtanh = (s: string, q: string): string => {
  const series = [11, 9, 7, 5, 3, 1].reduce((sum, n) => `(1.0 / ${n}.0 + ${q} * ${sum})`, '(1.0 / 13.0)')
  return `2.0 * ${s} * ${series}`
}

/** Statements that make `name` = log v. A GPU's own log has an error of 5e-7 near 1 and does not return
 *  infinities. */
export const logText = (name: string, v: string): string => {
  const [s, q] = [`${name}Part`, `${name}Square`]
  return `
    const ${s} = (${v} - 1.0) / (${v} + 1.0)
    const ${q} = ${s} * ${s}
    let ${name} = ${twiceAtanh(s, q)}
    if (${v} < 0.6 || ${v} > 1.6) { ${name} = Math.log(${v}) }
    if (${v} > 3.4028234e38) { ${name} = ${v} }
    if (${v} === 0) { ${name} = -1 / Math.abs(${v}) }
    if (${v} < 0) { ${name} = Math.sqrt(${v}) }`
}

/** Statements that make `name` = log(1 + e) for 0 ≤ e ≤ 1, as 2·atanh(e / (2 + e)). */
export const log1pText = (name: string, e: string): string => {
  const [s, q] = [`${name}Part`, `${name}Square`]
  return `
    const ${s} = ${e} / (2.0 + ${e})
    const ${q} = ${s} * ${s}
    const ${name} = ${twiceAtanh(s, q)}`
}
