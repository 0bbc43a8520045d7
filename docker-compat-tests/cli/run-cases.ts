/** Compares docker and docker-ts on a daemon that is running: `run-cases.ts HOST DOCKER DOCKER_TS IMAGE [WORD]`. */
import { allCases } from './cases/index.ts'
import { compareCase, describe } from './compare.ts'

const [host = '', reference = '', subject = '', image = 'busybox', word = ''] = process.argv.slice(2)
if (host === '' || reference === '' || subject === '') {
  console.error('usage: run-cases.ts HOST DOCKER DOCKER_TS [IMAGE [WORD]]')
  process.exit(2)
}
let failed = 0
let passed = 0
for (const one of allCases.filter(({ name, script }) => name.includes(word) || script.includes(word))) {
  const result = await compareCase({ host, reference, subject, image }, one)
  if (result.equal) passed++
  else {
    failed++
    console.log(`${describe(result)}\n`)
  }
}
console.log(`${passed} equal, ${failed} different`)
process.exitCode = failed === 0 ? 0 : 1
