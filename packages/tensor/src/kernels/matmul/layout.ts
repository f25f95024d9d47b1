/** Which operand is stored transposed: nn A·B, nt A·Bᵀ (B is [N, K]), tn Aᵀ·B (A is [K, M]). */
export type Layout = 'nn' | 'nt' | 'tn'
