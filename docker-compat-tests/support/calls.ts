/**
 * Which client asked the test daemons for which operation. With COMPATIBILITY_RECORDS naming a directory, test daemons
 * log every API call, and what they logged is kept there, one file per daemon; docs/compatibility.md is made from it.
 */
import { randomUUID } from 'node:crypto'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'

export interface RecordedCall {
  /** `docker`, `docker-ts`, `dockerode`, `docker-py`, `testcontainers`, `compose`. */
  client: string
  clientVersion: string
  operation: string
  /** At least one such call was not refused. */
  answered: boolean
}

export const recordsDirectory = process.env.COMPATIBILITY_RECORDS

/** Flags that make a daemon log its calls. */
export const recordingFlags: readonly string[] = recordsDirectory ? ['--log-level', 'debug'] : []

const programs: readonly (readonly [RegExp, string])[] = [
  [/^Docker-Client\/(\d\S*) /, 'docker'],
  [/^docker-ts\/(\S+)/, 'docker-ts'],
  [/^dockerode\/(\S+)/, 'dockerode'],
  [/^docker-sdk-python\/(\S+)/, 'docker-py'],
  [/^tc-node\/(\S+)/, 'testcontainers'],
  [/^compose\/(\S+)/, 'compose'],
]

const callLine = /msg="API call" operation=(\S+) version=\S+ client=("(?:[^"\\]|\\.)*"|\S+)( refused=)?/

/** The calls of known clients in a daemon's log, each once. */
export function callsIn(log: string): RecordedCall[] {
  const calls = new Map<string, RecordedCall>()
  for (const line of log.split('\n')) {
    const [, operation = '', agent = '', refused] = callLine.exec(line) ?? []
    const text = agent.startsWith('"') ? (JSON.parse(agent) as string) : agent
    const [pattern, client] = programs.find(([pattern]) => pattern.test(text)) ?? []
    if (pattern === undefined || client === undefined) continue
    const clientVersion = pattern.exec(text)?.[1] ?? ''
    const key = `${client} ${clientVersion} ${operation}`
    const before = calls.get(key)?.answered ?? false
    calls.set(key, { client, clientVersion, operation, answered: before || refused === undefined })
  }
  return [...calls.values()]
}

export function recordCalls(log: string): void {
  if (recordsDirectory === undefined) return
  mkdirSync(recordsDirectory, { recursive: true })
  writeFileSync(`${recordsDirectory}/calls-${randomUUID()}.json`, JSON.stringify(callsIn(log)))
}

export function readRecords(directory: string): RecordedCall[] {
  return globSync(`${directory}/calls-*.json`).flatMap(
    (file) => JSON.parse(readFileSync(file, 'utf8')) as RecordedCall[],
  )
}
