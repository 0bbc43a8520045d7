/** The API versions that are served, and their order. */

export const newestApiVersion = '1.55'
export const oldestApiVersion = '1.24'

/** Negative when `a` is older. Versions are dot-separated numbers; a missing part counts as 0. */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.')
  const right = b.split('.')
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = Number(left[index] ?? 0) - Number(right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

export const isOlder = (version: string, than: string): boolean => compareVersions(version, than) < 0

/** Docker's words for a version that is not served; undefined when it is. */
export function versionProblem(version: string): string | undefined {
  if (isOlder(version, oldestApiVersion)) {
    return `client version ${version} is too old. Minimum supported API version is ${oldestApiVersion}, please upgrade your client to a newer version`
  }
  if (isOlder(newestApiVersion, version)) {
    return `client version ${version} is too new. Maximum supported API version is ${newestApiVersion}`
  }
  return undefined
}
