/** `stop`: asks containers to end, and kills those that do not. */
import { stopCommand } from './stop-like.ts'

export default stopCommand('stop', 'Stop running containers')
