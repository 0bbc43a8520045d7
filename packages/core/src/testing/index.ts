export { fakeImageRecords } from './fake-image-records.ts'
export { type ContractTest, imageRecordsContract } from './image-records-contract.ts'
