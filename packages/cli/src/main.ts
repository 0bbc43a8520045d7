#!/usr/bin/env node
/** `docker-ts`: switches the compile cache on before the program itself is loaded, since start-up time is felt. */
import { enableCompileCache } from 'node:module'
import { compileCacheDirectory } from './compile-cache.ts'

const directory = compileCacheDirectory(process.env)
if (directory !== undefined) enableCompileCache(directory)
await import('./program.ts')
