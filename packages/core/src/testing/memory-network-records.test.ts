import t from 'tap'
import { memoryNetworkRecords } from './memory-network-records.ts'
import { networkRecordsContract } from './network-records-contract.ts'

networkRecordsContract((name, body) => t.test(name, body), memoryNetworkRecords)
