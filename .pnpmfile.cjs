// `source` in `exports` lets this workspace run on its TypeScript. Tarballs hold no sources, so packing removes it.
function beforePacking(manifest) {
  for (const entry of Object.values(manifest.exports ?? {})) delete entry.source
  return manifest
}

module.exports = { hooks: { beforePacking } }
