/** `restart`: stops and starts containers. */
import { stopCommand } from './stop-like.ts'

export default stopCommand('restart', 'Restart containers')
