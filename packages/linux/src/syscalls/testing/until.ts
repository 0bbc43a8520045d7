/** Waiting in tests for what the kernel does in its own time. */

/** Asks until `ready`; a test's own deadline ends what never becomes so. */
export async function until(ready: () => boolean): Promise<void> {
  while (!ready()) await new Promise((resolve) => setTimeout(resolve, 20))
}
