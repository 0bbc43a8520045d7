/** A module of its own, so that it can be loaded late and the bundler still finds the function by its name. */
export { parse } from 'yaml'
