/** Records and an origin for tests of targets. */
import type { LogOrigin, LogRecord } from '@dockerd-ts/core'

export const testOrigin: LogOrigin = {
  containerId: '0123456789abcdef'.repeat(4),
  containerName: 'web',
  imageId: `sha256:${'f'.repeat(64)}`,
  imageName: 'nginx:1',
  command: ['/bin/sh', '-c', 'x'],
  createdAtNs: 1_700_000_000_123_456_789n,
  hostname: 'machine',
  tag: '0123456789ab',
  attributes: { 'com.example/team': 'blue', MODE: 'a' },
}

/** 2023-11-14T22:13:20.123456789Z */
export const record = (text: string, stream: 'stdout' | 'stderr' = 'stdout'): LogRecord => ({
  stream,
  timeNs: 1_700_000_000_123_456_789n,
  line: Buffer.from(text),
})
