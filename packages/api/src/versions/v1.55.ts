/** 1.55 made an update's per-device block I/O limits work; before, they were ignored. */
import { ignoreBody, type VersionStep } from './version-step.ts'

export const v1_55: VersionStep = {
  version: '1.55',
  requests: {
    ContainerUpdate: ignoreBody(
      'BlkioWeightDevice',
      'BlkioDeviceReadBps',
      'BlkioDeviceWriteBps',
      'BlkioDeviceReadIOps',
      'BlkioDeviceWriteIOps',
    ),
  },
}
