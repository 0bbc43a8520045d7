/** The drivers by name: the LogTargets port. */
import type { LogTargets } from '@dockerd-ts/core'
import type { Driver, SendDatagram } from './driver.ts'
import { fluentdDriver } from './fluentd.ts'
import { gelfDriver } from './gelf.ts'
import { journaldDriver } from './journald.ts'
import { syslogDriver } from './syslog.ts'

export interface LogTargetsOptions {
  /** Node has no datagram Unix sockets. */
  sendDatagram: SendDatagram
}

export function createLogTargets({ sendDatagram }: LogTargetsOptions): LogTargets {
  const drivers: Readonly<Record<string, Driver>> = {
    fluentd: fluentdDriver(),
    gelf: gelfDriver(),
    journald: journaldDriver(sendDatagram),
    syslog: syslogDriver(sendDatagram),
  }
  const named = (name: string): Driver => {
    const driver = drivers[name]
    if (driver === undefined) throw new Error(`no log driver named '${name}' is registered`)
    return driver
  }
  return {
    drivers: Object.keys(drivers),
    check: (name, options) => named(name).check(options),
    create: (name, options, origin) => named(name).create(options, origin),
  }
}
