import {
  checkLaplacian,
  configNumber,
  describeManifold,
  type FiveNumbers,
  GraphError,
  type LaplacianSpectrum,
  type LaplacianVerdict,
  laplacianSpectrum,
  type Manifold,
  type ManifoldDescription,
} from '@tau/graph'
import type { ItemLook } from './items.ts'

/** Everything that `inspect` reports about a manifold. */
export interface Look {
  readonly manifold: Manifold
  readonly verdict: LaplacianVerdict
  readonly description: ManifoldDescription
  /** The spectrum, or the reason why there is none. */
  readonly spectrum: LaplacianSpectrum | string
  /** The embeddings on the manifold, if they were given. */
  readonly items?: ItemLook
}

/** Computes everything that `inspect` reports. Throws GraphError if L is not square. */
export async function lookAt(manifold: Manifold, items?: ItemLook): Promise<Look> {
  const { laplacian } = manifold
  const verdict = checkLaplacian(laplacian, { rowSums: 'any' })
  const description = describeManifold(laplacian, sourceSettings(manifold))
  const spectrum = await laplacianSpectrum(laplacian).catch((error: unknown) => {
    if (error instanceof GraphError) return error.message
    throw error
  })
  return { manifold, verdict, description, spectrum, ...(items && { items }) }
}

function sourceSettings({ metadata }: Manifold): { sigma?: number; p?: number } {
  if (metadata === undefined) return {}
  const sigma = configNumber(metadata, 'lambda_sigma')
  const p = configNumber(metadata, 'lambda_p')
  return { ...(sigma !== undefined && { sigma }), ...(p !== undefined && { p }) }
}

/** Rows of name and value, for the terminal and the page. */
export function rowsOf({ manifold, verdict, description, spectrum, items }: Look): [string, string][] {
  const { nameId, metadata } = manifold
  const rows: [string, string][] = [
    ['name', nameId],
    ['size', `${description.size} × ${description.size}, ${description.nnz} entries`],
    ['density', `${(100 * description.density).toPrecision(3)} %`],
    [
      'graph',
      `edges: ${description.edges}, components: ${description.components}, isolated features: ${description.isolated}`,
    ],
    ['', 'min · quarter · median · three quarters · max'],
    ['neighbours', spreadText(description.neighbors)],
    ['degree', spreadText(description.degree)],
    ['weights', spreadText(description.weights)],
  ]
  if (description.impliedDistances) rows.push(['implied distances', spreadText(description.impliedDistances)])
  rows.push(['energies', `${spreadText(description.energy)} (of random vectors)`])
  if (items)
    rows.push([
      'energies of items',
      `${spreadText(items.energy)} (${items.count.toLocaleString('en')} items)`,
    ])
  rows.push(
    ['eigenvalues', typeof spectrum === 'string' ? `none: ${spectrum}` : spectrumText(spectrum)],
    ['eigengap', typeof spectrum === 'string' ? 'none' : eigengapText(spectrum)],
    ['symmetry error', verdict.symmetryError.toPrecision(3)],
    ['row sum error', verdict.rowSumError.toPrecision(3)],
    [
      'least eigenvalue',
      verdict.psdMethod === 'none'
        ? 'none'
        : `${verdict.minEigenvalue.toPrecision(3)} (${verdict.psdMethod})`,
    ],
  )
  if (metadata) rows.push(['built from', `${metadata.n_rows} × ${metadata.n_cols}, ${metadata.timestamp}`])
  return rows
}

/** Notes about oddities and problems, then the verdict. */
export function notesOf({ verdict, description }: Look): [string, string][] {
  return [
    ...description.oddities.map((oddity): [string, string] => ['note', oddity]),
    ...verdict.problems.map((problem): [string, string] => ['problem', problem]),
    ['verdict', verdict.ok ? 'a Laplacian that a model can use' : 'not usable: see the problems'],
  ]
}

export const spreadText = ({ min, q25, median, q75, max }: FiveNumbers): string =>
  Number.isNaN(min)
    ? 'none'
    : [min, q25, median, q75, max].map((value) => Number(value.toPrecision(4))).join(' · ')

function spectrumText({ values, isWhole }: LaplacianSpectrum): string {
  const [least, second, largest] = [values[0], values[1] ?? values[0], values[values.length - 1]].map(short)
  const all = isWhole ? `all ${values.length}` : `the ${values.length} smallest`
  return `${all}: ${least} · ${second} … ${largest}`
}

export function eigengapText({ eigengap }: LaplacianSpectrum): string {
  if (eigengap === undefined) return 'none: one eigenvalue'
  const { clusters, gap } = eigengap
  return `${short(gap)} after ${clusters} eigenvalue${clusters === 1 ? '' : 's'}`
}

/** A number with 4 significant digits. Rounding errors below 1e-12 become 0. */
const short = (value: number): number => (Math.abs(value) < 1e-12 ? 0 : Number(value.toPrecision(4)))
