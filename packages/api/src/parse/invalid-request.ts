/** A request that cannot be understood; the daemon answers 400 with its message. */
export class InvalidRequest extends Error {
  override readonly name = 'InvalidRequest'
}
