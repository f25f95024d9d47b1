/** Where the repository's files are read on the web. */
const REPOSITORY =
  /^https:\/\/(?:github\.com\/tau-ml\/tau\/(?:blob|tree)|raw\.githubusercontent\.com\/tau-ml\/tau)\/main\/([^#?]+)/

/** Targets of links and images in Markdown: inline ones, references, and those of HTML. Code is left out. */
function targetsOf(markdown: string): string[] {
  const text = markdown.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').replace(/`[^`\n]+`/g, '`code`')
  const forms = [
    /\]\(\s*<?([^\s)>]+)/g, // [text](target) and ![text](target "title")
    /^\[[^\]]+\]:\s*<?([^\s>]+)/gm, // [text]: target
    /\b(?:href|src)=["']([^"']+)["']/g,
  ]
  return forms.flatMap((form) => Array.from(text.matchAll(form), ([, target]) => target))
}

/** Links and images of a README that lead nowhere for its reader.
 *
 *  The reader has a package's tarball, or its page at npm, but not the repository. So a relative target must be
 *  a file of the tarball; `files` are the paths in it. An address of the repository must lead to a file of this
 *  clone; `inRepository` tells whether it does. */
export function brokenLinks(
  readme: string,
  files: ReadonlySet<string>,
  inRepository: (path: string) => boolean,
): string[] {
  return targetsOf(readme).filter((target) => {
    const repositoryPath = REPOSITORY.exec(target)?.[1]
    if (repositoryPath !== undefined) return !inRepository(decodeURIComponent(repositoryPath))
    if (/^([a-z][a-z+.-]*:|#|\/\/)/i.test(target)) return false // another site, or a heading of this page
    const path = decodeURIComponent(target.replace(/[#?].*$/, '')).replace(/^\.\//, '')
    return !files.has(path)
  })
}
