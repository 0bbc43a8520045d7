/** docker and docker-ts do and say the same with files, running containers, prunes and registries. */
import t from 'tap'
import { dockerRegistry } from '../../packages/images/src/testing/docker-registry.ts'
import { effectCases } from './cases/index.ts'
import { compareClients } from './compare-clients.ts'

const open = await dockerRegistry(t)
const secured = await dockerRegistry(t, { htpasswd: { user: 'alice', password: 's3cret' } })

await compareClients(t, effectCases, { REGISTRY: open.host, SECURED: secured.host })
