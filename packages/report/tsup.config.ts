import { library } from '../../tools/build/tsup.ts'
import { pageAssets } from './src/page/assets.ts'

/** Puts the styles and scripts of the pages into the bundle. They replace the module that reads them from
 *  files. */
export default library([
  {
    name: 'page-assets',
    setup: (build) => {
      build.onLoad({ filter: /page\/assets\.ts$/ }, () => ({
        contents: `export const pageAssets = () => (${JSON.stringify(pageAssets())})`,
        loader: 'js',
      }))
    },
  },
])
