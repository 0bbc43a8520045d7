/** Waits for what is told of a container: no polling, no sleeping. */
import { request } from 'node:http'

/** Resolves when the container has had an event with this action, from its beginning on. */
export function nextEvent(socket: string, container: string, action: string): Promise<void> {
  const filters = encodeURIComponent(JSON.stringify({ container: [container] }))
  return new Promise((resolve, reject) => {
    const get = request({ socketPath: socket, path: `/events?since=0&filters=${filters}`, agent: false }, (reply) => {
      let text = ''
      reply.on('error', () => {})
      reply.on('data', (chunk) => {
        text += chunk
        if (!text.includes(`"Action":${JSON.stringify(action)}`)) return
        get.destroy()
        resolve()
      })
    })
    get.on('error', reject)
    get.end()
  })
}
