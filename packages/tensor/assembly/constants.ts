// The coefficients of the polynomials, in memory. A load is one instruction. V8 makes a constant vector in
// three instructions at each use, also inside loops, and two of them share a port with the shuffles. With
// such constants exp ran at half the speed of its arithmetic.

/** Address of the table. It lies in the first page, which belongs to no buffer (src/backends/cpu/layout.ts).
 *  Every module writes the same numbers there when its workspace is set. Modules of two versions may share a
 *  memory, so numbers may be added at the end but never moved. */
const TABLE: usize = 40960

export const enum Constant {
  one,
  half,
  two,
  infinity,
  /** x is limited to this. e^x is infinite there, and f is small enough for the exponent to show it. */
  expMax,
  /** −126·ln 2. Below this, e^x is smaller than every normal number. */
  expMin,
  log2E,
  /** 1.5·2²³. After adding a number to it, the lowest bits hold the nearest whole number. */
  round,
  /** −ln 2 in two parts. Products of the first part with whole numbers are exact. */
  minusLn2High,
  minusLn2Low,
  exp5,
  exp4,
  exp3,
  exp2,
  exp1,
  exp0,
  tanhMax,
  smallestNormal,
  twoTo25,
  mantissa,
  halfSqrt2,
  log8,
  log7,
  log6,
  log5,
  log4,
  log3,
  log2,
  log1,
  log0,
  minusHalf,
  ln2High,
  ln2Low,
  sqrt2Minus1,
  /** Tail of the normal distribution: see normalCdf4. */
  tailScale,
  tail8,
  tail7,
  tail6,
  tail5,
  tail4,
  tail3,
  tail2,
  tail1,
  tail0,
  /** 1 / √(2π) */
  normalPeak,
  /** 2·√(2/π) and 0.044715 times it: see tanhGate4. */
  gateLinear,
  gateCubic,
}

// @ts-ignore: decorator
@inline
function put(name: Constant, value: f32): void {
  store<f32>(TABLE + ((<usize>name) << 2), value)
}

/** Four lanes of a constant. */
// @ts-ignore: decorator
@inline
export function constant(name: Constant): v128 {
  return v128.load32_splat(TABLE + ((<usize>name) << 2))
}

export function writeConstants(): void {
  put(Constant.one, 1)
  put(Constant.half, 0.5)
  put(Constant.two, 2)
  put(Constant.infinity, Infinity)
  put(Constant.expMax, 88.8)
  put(Constant.expMin, -87.33654)
  put(Constant.log2E, 1.44269504)
  put(Constant.round, 12582912)
  put(Constant.minusLn2High, -0.693359375)
  put(Constant.minusLn2Low, 2.12194440e-4)
  put(Constant.exp5, 1.9875691500e-4) // Cephes expf
  put(Constant.exp4, 1.3981999507e-3)
  put(Constant.exp3, 8.3334519073e-3)
  put(Constant.exp2, 4.1665795894e-2)
  put(Constant.exp1, 1.6666665459e-1)
  put(Constant.exp0, 5.0000001201e-1)
  put(Constant.tanhMax, 40)
  put(Constant.smallestNormal, 1.17549435e-38)
  put(Constant.twoTo25, 33554432)
  put(Constant.mantissa, reinterpret<f32>(0x007fffff))
  put(Constant.halfSqrt2, 0.70710678)
  put(Constant.log8, 7.0376836292e-2) // Cephes logf
  put(Constant.log7, -1.1514610310e-1)
  put(Constant.log6, 1.1676998740e-1)
  put(Constant.log5, -1.2420140846e-1)
  put(Constant.log4, 1.4249322787e-1)
  put(Constant.log3, -1.6668057665e-1)
  put(Constant.log2, 2.0000714765e-1)
  put(Constant.log1, -2.4999993993e-1)
  put(Constant.log0, 3.3333331174e-1)
  put(Constant.minusHalf, -0.5)
  put(Constant.ln2High, 0.693359375)
  put(Constant.ln2Low, -2.12194440e-4)
  put(Constant.sqrt2Minus1, 0.41421356)
  put(Constant.tailScale, 0.21) // fitted to erfcx by weighted least squares, largest relative error 1.6e-8
  put(Constant.tail8, -7.1655903273e-2)
  put(Constant.tail7, 2.8358654269e-1)
  put(Constant.tail6, -3.3024908636e-1)
  put(Constant.tail5, 3.4939594064e-1)
  put(Constant.tail4, -9.3921580452e-2)
  put(Constant.tail3, 1.2487111702e-1)
  put(Constant.tail2, 6.9192603418e-2)
  put(Constant.tail1, 8.5068793340e-2)
  put(Constant.tail0, 8.3711579744e-2)
  put(Constant.normalPeak, 0.39894228)
  put(Constant.gateLinear, 1.59576912)
  put(Constant.gateCubic, 7.1354817e-2)
}
