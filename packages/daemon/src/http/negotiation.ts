/** The headers by which clients learn what they talk to; on every reply. */
import { newestApiVersion } from '@dockerd-ts/api'
import type { Headers } from './replies.ts'

export interface ServerFacts {
  /** The engine's version, for the Server header. */
  serverVersion: string
  experimental?: boolean
  /** What the docker CLI should build with: 1 is POST /build, 2 BuildKit. */
  builderVersion?: '1' | '2'
}

export function negotiationHeaders({ serverVersion, experimental = false }: ServerFacts): Headers {
  return {
    'Api-Version': newestApiVersion,
    'Docker-Experimental': String(experimental),
    Ostype: 'linux',
    Server: `Docker/${serverVersion} (linux)`,
  }
}

/** Beside those, on pings. */
export function pingHeaders({ builderVersion = '1' }: ServerFacts): Headers {
  return {
    'Builder-Version': builderVersion,
    'Cache-Control': 'no-cache, no-store, must-revalidate',
    Pragma: 'no-cache',
    Swarm: 'inactive',
  }
}
