/**
 * What is used of undici, as a module to be loaded when it is needed: with names, which a bundled CommonJS package that is
 * imported dynamically does not have.
 */
export { Agent, EnvHttpProxyAgent, request } from 'undici'
