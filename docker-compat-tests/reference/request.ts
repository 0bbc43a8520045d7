/** How the requests that are compared are written down. */

export interface ComparedRequest {
  method: string
  /** Without the version. */
  path: string
  body?: unknown
  /** Sent as it is, with the given headers, on a connection of its own; the whole answer is compared as text. */
  hijack?: { input?: string; upgrade?: boolean }
  /** Why the answers differ, where they are meant to. */
  differs?: string
}

export const get = (path: string, more: Partial<ComparedRequest> = {}): ComparedRequest => ({
  method: 'GET',
  path,
  ...more,
})
export const post = (path: string, body?: unknown, more: Partial<ComparedRequest> = {}): ComparedRequest => ({
  method: 'POST',
  path,
  ...(body === undefined ? {} : { body }),
  ...more,
})
export const del = (path: string): ComparedRequest => ({ method: 'DELETE', path })

export const filters = (value: object) => `filters=${encodeURIComponent(JSON.stringify(value))}`
export const run = (script: string, more: object = {}) => ({ Image: 'busybox', Cmd: ['sh', '-c', script], ...more })
export const create = (name: string, body: object) => post(`/containers/create?name=${name}`, body)
