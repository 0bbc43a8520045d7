/** All comparisons of the two clients, in two parts that can run beside each other. */
import { containerCases } from './containers.ts'
import { errorCases } from './errors.ts'
import { fileCases } from './files.ts'
import { formatCases } from './formats.ts'
import { imageCases } from './images.ts'
import { liveCases } from './live.ts'
import { pruneCases } from './prunes.ts'
import { registryCases } from './registries.ts'
import { systemCases } from './system.ts'

/** What a user does all day, and how it is shown. */
export const outputCases = [...containerCases, ...imageCases, ...systemCases, ...formatCases, ...errorCases]

/** What changes while it is looked at. */
export const effectCases = [...fileCases, ...liveCases, ...pruneCases, ...registryCases]

export const allCases = [...outputCases, ...effectCases]
