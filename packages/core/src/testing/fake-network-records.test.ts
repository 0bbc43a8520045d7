import t from 'tap'
import { fakeNetworkRecords } from './fake-network-records.ts'
import { networkRecordsContract } from './network-records-contract.ts'

networkRecordsContract((name, body) => t.test(name, body), fakeNetworkRecords)
