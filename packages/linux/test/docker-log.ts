/** Writes log lines as Docker's json-file driver does. */

export interface DockerLogLine {
  text: string
  stream?: 'stdout' | 'stderr'
  /** Unix nanoseconds. */
  timeNs: bigint
  attributes?: Record<string, string>
}

export function dockerLogLine({ text, stream = 'stdout', timeNs, attributes }: DockerLogLine): string {
  const seconds = new Date(Number(timeNs / 1_000_000_000n) * 1000).toISOString().slice(0, 19)
  const fraction = (timeNs % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '')
  const attrs = attributes ? `,"attrs":${goJson(attributes)}` : ''
  const time = `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`
  return `{"log":${goJson(text)},"stream":"${stream}"${attrs},"time":"${time}"}\n`
}

/** encoding/json also escapes what HTML and JavaScript would take for their own. */
const goJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
