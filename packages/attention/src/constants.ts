/** ε of the Rayleigh quotient unless given, as in @tau/graph. */
export const DEFAULT_EPS = 1e-6

/** Smallest τ that any policy returns, as in @tau/graph. */
export const TAU_FLOOR = 1e-10
