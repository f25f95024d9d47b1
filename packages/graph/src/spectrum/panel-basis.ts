import type { Random } from '@tau/tensor'
import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { PANEL, type Panel, type PanelSpace } from '../kernels/panel-space.ts'
import { type KernelVectors, removeKernel } from './kernel-vectors.ts'

// If projections leave less than this share of a column, the rest is rounding: the column was in the space
// already.
const DEPENDENT = 1e-12
/** Number of columns that may be replaced by random ones before the search is exhausted. */
const REPLACEMENTS = 4 * PANEL

/** Ritz values, ascending, and the coefficients of their vectors, with one column for each. */
export interface Ritz {
  values: number[]
  coefficients: Matrix
}

/** An orthonormal basis of panels, also orthogonal to the kernel, with the projection H = Vᵀ·m·V. */
export class PanelBasis {
  readonly #space: PanelSpace
  readonly #kernel: KernelVectors | undefined
  readonly #random: Random
  readonly #panels: Panel[] = []
  #projection = Matrix.zeros(0, 0)

  constructor(space: PanelSpace, kernel: KernelVectors | undefined, random: Random) {
    this.#space = space
    this.#kernel = kernel
    this.#random = random
  }

  get panels(): number {
    return this.#panels.length
  }

  /** Makes a panel orthonormal and adds it to the basis. It takes one product per column. */
  extend(panel: Panel): void {
    this.#orthonormalise(panel)
    this.#panels.push(panel)
    const image = this.#space.take()
    this.#space.step(panel, image, 1, 0, 0)
    const from = (this.panels - 1) * PANEL
    const projection = Matrix.zeros(from + PANEL, from + PANEL)
    projection.setSubMatrix(this.#projection, 0, 0)
    this.#panels.forEach((other, p) => {
      const products = this.#space.gram(other, image)
      for (let n = 0; n < products.length; n++) {
        const row = p * PANEL + Math.floor(n / PANEL)
        projection.set(row, from + (n % PANEL), products[n])
        projection.set(from + (n % PANEL), row, products[n])
      }
    })
    this.#space.give(image)
    this.#projection = projection
  }

  ritz(): Ritz {
    const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(this.#projection, {
      assumeSymmetric: true,
    })
    const order = realEigenvalues.map((_, j) => j).sort((a, b) => realEigenvalues[a] - realEigenvalues[b])
    return {
      values: order.map((j) => realEigenvalues[j]),
      coefficients: eigenvectorMatrix.subMatrixColumn(order),
    }
  }

  /** Ritz vectors 8p … 8p + 7 as a new panel. */
  ritzPanel({ coefficients }: Ritz, p: number): Panel {
    const out = this.#space.take()
    out.data.fill(0)
    const factors = new Float64Array(PANEL * PANEL)
    this.#panels.forEach((panel, q) => {
      for (let n = 0; n < factors.length; n++) {
        factors[n] = coefficients.get(q * PANEL + Math.floor(n / PANEL), p * PANEL + (n % PANEL))
      }
      this.#space.add(out, panel, factors)
    })
    return out
  }

  /** Replaces the basis by the first Ritz vectors, which are given as panels. */
  restart(ritzPanels: Panel[], { values }: Ritz): void {
    for (const panel of this.#panels.splice(0)) this.#space.give(panel)
    this.#panels.push(...ritzPanels)
    this.#projection = Matrix.diag(values.slice(0, this.panels * PANEL))
  }

  /** Makes a panel orthonormal: Gram–Schmidt against kernel and basis, and Cholesky QR within the panel. It
   *  does both twice ("twice is enough", Kahan and Parlett). Random columns replace columns that depend on
   *  others. */
  #orthonormalise(panel: Panel): void {
    let before = diagonalOf(this.#space.gram(panel, panel))
    let replaced = 0
    for (let pass = 0; pass < 2; ) {
      if (this.#kernel) removeKernel(panel, this.#kernel)
      for (const other of this.#panels) {
        const products = this.#space.gram(other, panel)
        this.#space.add(
          panel,
          other,
          products.map((value) => -value),
        )
      }
      const factor = inverseFactor(this.#space.gram(panel, panel), before)
      if (typeof factor === 'number') {
        if (++replaced > REPLACEMENTS)
          throw new Error('internal: a basis must have room for eight more columns')
        for (let n = factor; n < panel.data.length; n += PANEL) panel.data[n] = this.#random.float() - 0.5
        before = diagonalOf(this.#space.gram(panel, panel))
        pass = 0
        continue
      }
      const copy = this.#space.take()
      copy.data.set(panel.data)
      panel.data.fill(0)
      this.#space.add(panel, copy, factor)
      this.#space.give(copy)
      before.fill(1)
      pass++
    }
  }
}

const diagonalOf = (gram: Float64Array): Float64Array =>
  Float64Array.from({ length: PANEL }, (_, j) => gram[j * PANEL + j])

/** R⁻¹ of the Cholesky factorisation Rᵀ·R of xᵀx [8, 8]. It returns the index of a column instead if the
 *  column depends on earlier ones, or if its square is tiny beside its earlier square `before`. */
const inverseFactor = (gram: Float64Array, before: Float64Array): Float64Array | number => {
  const r = new Float64Array(PANEL * PANEL)
  for (let j = 0; j < PANEL; j++) {
    const own = gram[j * PANEL + j]
    if (!(own > DEPENDENT ** 2 * before[j])) return j
    let rest = own
    for (let i = 0; i < j; i++) {
      let sum = gram[i * PANEL + j]
      for (let q = 0; q < i; q++) sum -= r[q * PANEL + i] * r[q * PANEL + j]
      r[i * PANEL + j] = sum / r[i * PANEL + i]
      rest -= r[i * PANEL + j] ** 2
    }
    // Below this bound the difference of squares has no correct digit.
    if (!(rest > DEPENDENT * own)) return j
    r[j * PANEL + j] = Math.sqrt(rest)
  }
  const inverse = new Float64Array(PANEL * PANEL)
  for (let j = 0; j < PANEL; j++) {
    inverse[j * PANEL + j] = 1 / r[j * PANEL + j]
    for (let i = j - 1; i >= 0; i--) {
      let sum = 0
      for (let q = i + 1; q <= j; q++) sum += r[i * PANEL + q] * inverse[q * PANEL + j]
      inverse[i * PANEL + j] = -sum / r[i * PANEL + i]
    }
  }
  return inverse
}
