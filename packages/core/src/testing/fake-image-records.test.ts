import t from 'tap'
import { fakeImageRecords } from './fake-image-records.ts'
import { imageRecordsContract } from './image-records-contract.ts'

imageRecordsContract((name, body) => t.test(name, body), fakeImageRecords)
