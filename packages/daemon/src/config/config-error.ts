/** A configuration that the daemon cannot start with; the message is for the user. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
