import t from 'tap'
import { fakeVolumeRecords } from './fake-volume-records.ts'
import { volumeRecordsContract } from './volume-records-contract.ts'

volumeRecordsContract((name, body) => t.test(name, body), fakeVolumeRecords)
