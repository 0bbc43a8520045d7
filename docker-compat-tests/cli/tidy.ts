/** Removes what a script made in a daemon: containers with their volumes, volumes, networks, images without a name. */
import { call } from '../support/call.ts'
import { removeContainers } from '../support/daemon.ts'

/** By the API rather than by a client: eight programs started before and after each script took longer than the scripts. */
export async function tidy(socket: string): Promise<void> {
  await removeContainers(socket)
  const volumes = (await listed(socket, '/volumes')) as { Volumes: { Name: string }[] }
  for (const { Name } of volumes.Volumes) await remove(socket, `/volumes/${Name}`)
  const networks = (await listed(socket, `/networks?filters=${filter({ type: ['custom'] })}`)) as { Id: string }[]
  for (const { Id } of networks) await remove(socket, `/networks/${Id}`)
  const images = (await listed(socket, `/images/json?filters=${filter({ dangling: ['true'] })}`)) as { Id: string }[]
  for (const { Id } of images) await remove(socket, `/images/${Id}?force=1`)
}

const filter = (filters: Record<string, string[]>) => encodeURIComponent(JSON.stringify(filters))

async function listed(socket: string, path: string): Promise<unknown> {
  const { status, json, body } = await call(socket, 'GET', path)
  if (status !== 200) throw new Error(`GET ${path}: ${status} ${body}`)
  return json
}

/** What goes along with another one (an image with the one above it) is gone already. */
async function remove(socket: string, path: string): Promise<void> {
  const { status, body } = await call(socket, 'DELETE', path)
  if (status >= 300 && status !== 404) throw new Error(`DELETE ${path}: ${status} ${body}`)
}
