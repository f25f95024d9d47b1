import { defaultClientConditions, defineConfig } from 'vite'

/** With these a page is cross-origin isolated: its memory can be shared with threads. */
const headers = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
}

export default defineConfig({
  // Packages of the workspace come from their sources: nothing to build before a change is seen.
  resolve: { conditions: ['source', ...defaultClientConditions] },
  // Lowers `using`.
  oxc: { target: 'es2023' },
  build: { target: 'es2023' },
  worker: { format: 'es' },
  server: { headers },
  preview: { headers },
})
