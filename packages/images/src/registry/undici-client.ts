/**
 * What is used of undici, behind a module of our own: imported on demand it has these names in the bundle too, where an
 * import of the CommonJS package itself would give nothing but its default.
 */
export { Agent, ProxyAgent, request } from 'undici'
