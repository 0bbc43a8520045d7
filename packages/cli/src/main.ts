#!/usr/bin/env node
/** `docker-ts`: switches the compile cache on before the program itself is loaded, since start-up time is felt. */
import { enableCompileCache } from 'node:module'

enableCompileCache()
await import('./program.ts')
