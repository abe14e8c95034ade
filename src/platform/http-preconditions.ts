/** ETag and If-Match: nobody overwrites a change that he has not seen. */
import { hash } from 'node:crypto'
import { Refusal } from './faults.ts'

/** The entity tag of a document at a version. */
export const etag = (version: number): string => `"v${version}"`

/**
 * Tells contents at one version apart, where what stands beside the document changes without raising it. It does not
 * keep anybody from acting: only the version counts for `assertVersion`.
 */
export const contentTag = (content: { readonly version: number }): string =>
  `"v${content.version}.${hash('sha256', JSON.stringify(content), 'hex').slice(0, 12)}"`

/** For acts whose If-Match is optional: refuses when it names other versions, by tags of either kind. */
export function assertVersion(ifMatch: string | undefined, version: number): void {
  if (ifMatch !== undefined) assertMatch(ifMatch.replaceAll(/"v(\d+)\.[0-9a-f]+"/g, '"v$1"'), version)
}

/** Refuses when If-Match does not name the current version. Weak tags never match (RFC 9110, 13.1.1). */
export function assertMatch(ifMatch: string | undefined, version: number): void {
  const current = etag(version)
  if (ifMatch !== undefined && matches(ifMatch, current)) return
  throw new Refusal('http.precondition_failed', `The document is at version ${current} now.`, {
    etag: current,
  })
}

/** True when the reader already has what the tag names, for 304 Not Modified. */
export function isUnchanged(ifNoneMatch: string | undefined, current: string | undefined): boolean {
  if (ifNoneMatch === undefined || current === undefined) return false
  return matches(ifNoneMatch.replaceAll('W/"', '"'), current.replace(/^W\//, ''))
}

function matches(list: string, tag: string): boolean {
  return list.trim() === '*' || list.split(',').some((one) => one.trim() === tag)
}
