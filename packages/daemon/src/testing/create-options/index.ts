/** The tables, room by room. */
import { lifecycleRows } from './lifecycle.ts'
import { namespaceRows } from './namespaces.ts'
import { networkRows } from './network.ts'
import { processRows } from './process.ts'
import { resourceRows } from './resources.ts'
import type { Row } from './row.ts'
import { securityRows } from './security.ts'
import { storageRows } from './storage.ts'

export const createRows: readonly Row[] = [
  ...processRows,
  ...resourceRows,
  ...securityRows,
  ...namespaceRows,
  ...networkRows,
  ...storageRows,
  ...lifecycleRows,
]
