/** All comparisons of the two clients. */
import { containerCases } from './containers.ts'
import { errorCases } from './errors.ts'
import { formatCases } from './formats.ts'
import { imageCases } from './images.ts'
import { systemCases } from './system.ts'

export const allCases = [...containerCases, ...imageCases, ...systemCases, ...formatCases, ...errorCases]
