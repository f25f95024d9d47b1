import { checkOptions } from '../errors.ts'
import type { ManifoldInfo } from './build.ts'
import type { ConfigValue } from './metadata.ts'

/** The settings for builder_config in manifold.json: ArrowSpace's keys and tags, and our own keys, which
 *  start with `tau_`. */
export const manifoldConfig = (info: ManifoldInfo): Record<string, ConfigValue> => {
  checkOptions('manifoldConfig', info, 'the info of buildManifold')
  return {
    lambda_k: { Usize: info.k },
    lambda_topk: { Usize: info.k },
    ...(info.eps === null ? {} : { lambda_eps: { F64: info.eps } }),
    lambda_p: { F64: info.p },
    lambda_sigma: { OptionF64: info.sigma },
    nfeatures: { Usize: info.dim },
    nitems: { Usize: info.rows },
    normalise: { Bool: info.normalization === 'symmetric' },
    use_dims_reduction: { Bool: info.reduce !== 'none' },
    sparsity_check: { Bool: info.sparsify },
    tau_seed: { OptionU64: info.seed },
    tau_width: { Usize: info.width },
    tau_reduce: { String: info.reduce },
    tau_center: { Bool: info.center },
    tau_kept_energy: { F64: info.keptEnergy },
    tau_metric: { String: info.metric },
    tau_kernel: { String: info.kernel },
    ...(info.sample < 1 && { sampling: { OptionSamplerType: { Simple: info.sample } } }),
    ...(info.clusters !== null && { cluster_max_clusters: { OptionUsize: info.clusters } }),
    synthesis: { TauMode: info.tauPolicy === 'median' ? 'Median' : 'Mean' },
    tau_graph_rows: { Usize: info.graphRows },
    tau_tau: { F64: info.tau },
  }
}
