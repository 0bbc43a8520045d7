/** `--change` of import and commit: Dockerfile instructions applied to an image's configuration. */
import { invalidArgument } from '../errors/engine-error.ts'
import type { ImageConfig } from '../ports/images.ts'
import { parseGoDuration } from '../support/go-time.ts'
import { expandWord, splitWords } from './shell-words.ts'

/** `seen`: instructions that came before. */
type Change = (config: ImageConfig, rest: string, seen: ReadonlySet<string>) => void

const changes: Readonly<Record<string, Change>> = {
  CMD: (config, rest) => {
    const list = jsonList(rest)
    config.Cmd = list ?? shellForm(config, rest)
    delete config.ArgsEscaped
  },
  ENTRYPOINT: (config, rest, seen) => {
    const list = jsonList(rest)
    config.Entrypoint = list ?? shellForm(config, rest)
    // The command of before was for the entrypoint of before; one that is set by these changes stays.
    if (!seen.has('CMD')) delete config.Cmd
  },
  ENV: (config, rest) => {
    const environment = environmentOf(config)
    for (const [key, value] of pairs(rest, 'ENV', environment)) environment.set(key, value)
    config.Env = [...environment].map(([key, value]) => `${key}=${value}`)
  },
  LABEL: (config, rest) => {
    config.Labels = { ...config.Labels, ...Object.fromEntries(pairs(rest, 'LABEL', environmentOf(config))) }
  },
  EXPOSE: (config, rest) => {
    for (const word of words(config, rest, 'EXPOSE')) {
      for (const port of ports(word)) config.ExposedPorts = { ...config.ExposedPorts, [port]: {} }
    }
  },
  VOLUME: (config, rest) => {
    for (const path of jsonList(rest) ?? words(config, rest, 'VOLUME')) {
      if (path.trim() === '') throw invalidArgument('VOLUME specified can not be an empty string')
      config.Volumes = { ...config.Volumes, [path.trim()]: {} }
    }
  },
  USER: (config, rest) => {
    config.User = oneWord(config, rest, 'USER')
  },
  WORKDIR: (config, rest) => {
    const path = oneWord(config, rest, 'WORKDIR')
    config.WorkingDir = cleanDirectory(path.startsWith('/') ? path : `${config.WorkingDir ?? '/'}/${path}`)
  },
  STOPSIGNAL: (config, rest) => {
    config.StopSignal = oneWord(config, rest, 'STOPSIGNAL')
  },
  ONBUILD: (config, rest) => {
    const [instruction = ''] = rest.split(/\s/)
    if (/^(?:ONBUILD|FROM|MAINTAINER)$/i.test(instruction)) {
      throw invalidArgument(`${instruction.toUpperCase()} isn't allowed as an ONBUILD trigger`)
    }
    config.OnBuild = [...(config.OnBuild ?? []), rest]
  },
  HEALTHCHECK: (config, rest) => {
    config.Healthcheck = healthcheck(rest)
  },
}

/** A new configuration. Throws invalidArgument in Docker's words. */
export function applyConfigChanges(config: ImageConfig, lines: readonly string[]): ImageConfig {
  const changed = structuredClone(config)
  const seen = new Set<string>()
  for (const line of lines.flatMap((entry) => entry.split('\n'))) {
    const match = /^\s*(\S+)(?:\s+([\s\S]*?))?\s*$/.exec(line)
    if (match === null) continue
    const instruction = (match[1] ?? '').toUpperCase()
    const change = Object.hasOwn(changes, instruction) ? changes[instruction] : undefined
    if (change === undefined) throw invalidArgument(`${match[1]} is not a valid change command`)
    if (match[2] === undefined || match[2] === '') {
      throw invalidArgument(`${instruction} requires at least one argument`)
    }
    change(changed, match[2], seen)
    seen.add(instruction)
  }
  return changed
}

function jsonList(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined
  try {
    const list: unknown = JSON.parse(text)
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : undefined
  } catch {
    // Not JSON: then it is a shell command that begins with a bracket.
    return undefined
  }
}

function shellForm(config: ImageConfig, text: string): string[] {
  return [...(config.Shell ?? ['/bin/sh', '-c']), text]
}

function environmentOf(config: ImageConfig): Map<string, string> {
  const entries = (config.Env ?? []).map((entry): [string, string] => {
    const equals = entry.indexOf('=')
    return equals < 0 ? [entry, ''] : [entry.slice(0, equals), entry.slice(equals + 1)]
  })
  return new Map(entries)
}

/** `a=b c="d e"`, or the older `a b c` where all after the first word is the value. */
function pairs(text: string, instruction: string, environment: ReadonlyMap<string, string>): [string, string][] {
  const list = splitWords(text)
  if (list[0] !== undefined && !list[0].includes('=')) {
    const match = /^(\S+)\s+([\s\S]+)$/.exec(text)
    if (match === null) throw invalidArgument(`${instruction} must have two arguments`)
    return [[match[1] ?? '', expandWord(match[2] ?? '', environment)]]
  }
  return list.map((word) => {
    const equals = word.indexOf('=')
    if (equals < 0) {
      throw invalidArgument(`Syntax error - can't find = in "${word}". Must be of the form: name=value`)
    }
    const key = expandWord(word.slice(0, equals), environment)
    if (key === '') throw invalidArgument(`${instruction} names can not be blank`)
    return [key, expandWord(word.slice(equals + 1), environment)]
  })
}

function words(config: ImageConfig, text: string, instruction: string): string[] {
  const list = splitWords(text).map((word) => expandWord(word, environmentOf(config)))
  if (list.length === 0) throw invalidArgument(`${instruction} requires at least one argument`)
  return list
}

function oneWord(config: ImageConfig, text: string, instruction: string): string {
  const list = words(config, text, instruction)
  const [word] = list
  if (list.length !== 1 || word === undefined) throw invalidArgument(`${instruction} requires exactly one argument`)
  return word
}

function cleanDirectory(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return `/${parts.join('/')}`
}

/** `80`, `80/udp`, `8000-8002/tcp`. */
function ports(text: string): string[] {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?(?:\/(tcp|udp|sctp))?$/i.exec(text)
  const first = Number(match?.[1])
  const last = Number(match?.[2] ?? first)
  if (match === null || first > last || last > 65_535) throw invalidArgument(`invalid containerPort: ${text}`)
  const protocol = (match[3] ?? 'tcp').toLowerCase()
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol}`)
}

const durations: Readonly<Record<string, 'Interval' | 'Timeout' | 'StartPeriod' | 'StartInterval'>> = {
  interval: 'Interval',
  timeout: 'Timeout',
  'start-period': 'StartPeriod',
  'start-interval': 'StartInterval',
}

function healthcheck(text: string): NonNullable<ImageConfig['Healthcheck']> {
  const check: NonNullable<ImageConfig['Healthcheck']> = {}
  let rest = text
  for (let flag = /^--([a-z-]+)=(\S+)\s*/.exec(rest); flag !== null; flag = /^--([a-z-]+)=(\S+)\s*/.exec(rest)) {
    rest = rest.slice(flag[0].length)
    const [, name = '', value = ''] = flag
    const key = durations[name]
    if (name === 'retries' && /^\d+$/.test(value)) check.Retries = Number(value)
    else if (key !== undefined) check[key] = durationNs(name, value)
    else throw invalidArgument(`unknown flag: ${name}`)
  }
  const match = /^(\S+)\s*([\s\S]*)$/.exec(rest)
  const type = (match?.[1] ?? '').toUpperCase()
  if (type === 'NONE') return { Test: ['NONE'] }
  if (type !== 'CMD') throw invalidArgument(`Unknown type "${type}" in HEALTHCHECK (try CMD)`)
  const command = match?.[2] ?? ''
  if (command === '') throw invalidArgument('Missing command after HEALTHCHECK CMD')
  const list = jsonList(command)
  check.Test = list === undefined ? ['CMD-SHELL', command] : ['CMD', ...list]
  return check
}

function durationNs(name: string, value: string): number {
  const ns = parseGoDuration(value)
  if (ns === undefined || ns < 0n) throw invalidArgument(`invalid duration for ${name}: ${value}`)
  return Number(ns)
}
