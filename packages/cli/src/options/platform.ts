/** Platforms as users write them, and as the API takes them. */

/** `linux/arm64/v8` -> {"os":"linux","architecture":"arm64","variant":"v8"} as JSON. */
export function encodePlatform(text: string): string {
  const [os = '', architecture, variant, extra] = text.split('/')
  if (os === '' || extra !== undefined || !/^[A-Za-z0-9_.-]+(\/[A-Za-z0-9_.-]+)*$/.test(text)) {
    throw new Error(
      `${JSON.stringify(text)} is an invalid component of ${JSON.stringify(text)}: platform specifier component must match "^[A-Za-z0-9_.-]+$": invalid argument`,
    )
  }
  return JSON.stringify({ ...(architecture ? { architecture } : {}), os, ...(variant ? { variant } : {}) })
}
