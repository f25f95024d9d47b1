/** Default ε of the Rayleigh quotient; the same as in @tau/graph. */
export const DEFAULT_EPS = 1e-6

/** The smallest τ that any policy returns; the same as in @tau/graph. */
export const TAU_FLOOR = 1e-10
