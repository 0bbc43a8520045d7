export { fakeImageRecords } from './fake-image-records.ts'
export { type ContractAssertions, type ContractTest, imageRecordsContract } from './image-records-contract.ts'
