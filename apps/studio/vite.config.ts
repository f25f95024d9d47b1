import { defaultClientConditions, defineConfig } from 'vite'

/** These headers make a page cross-origin isolated, so it can share memory with threads. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export default defineConfig({
  // Packages of the workspace are loaded from their sources, so a change shows without a build.
  resolve: { conditions: ['source', ...defaultClientConditions] },
  // This target makes vite compile `using` to older syntax.
  oxc: { target: 'es2023' },
  build: { target: 'es2023' },
  worker: { format: 'es' },
  server: { headers },
  preview: { headers },
})
