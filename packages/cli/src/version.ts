/** Who this client says it is. */
export const programVersion = '0.1.0'

/** The newest API this client speaks; the daemon's own maximum lowers it. */
export const clientApiVersion = '1.50'
