/** Code of a system error, such as ENOSPC; an empty string for other errors. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** What a user can do about a system error. */
export function adviceFor(error: unknown): string {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'free disk space or choose another disk'
  if (code === 'EFBIG') return 'raise the file size limit (ulimit -f)'
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'check the path, and that its directory exists'
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') return 'check the permissions'
  if (code === 'EISDIR') return 'choose a path that is not a directory'
  return 'try again or choose another path'
}
