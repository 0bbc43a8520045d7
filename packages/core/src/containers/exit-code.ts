/** The end was not seen: its exit code is not known. Docker answers the same number. */
export const unknownExitCode = 255
