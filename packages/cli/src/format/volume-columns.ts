/** The columns of volume listings. */

import { plain } from '@dockerd-ts/go-template/print'
import type { Volume } from '../client/wire.ts'
import { joinLabels } from './container-columns.ts'
import type { Columns } from './listing.ts'
import { humanSize } from './units.ts'

export const volumeTable = '{{.Driver}}\t{{.Name}}'

export const volumeColumns: Columns<Volume> = {
  rowType: '*formatter.volumeContext',
  headers: {
    Name: 'VOLUME NAME',
    Driver: 'DRIVER',
    Scope: 'SCOPE',
    Availability: 'AVAILABILITY',
    Mountpoint: 'MOUNTPOINT',
    Labels: 'LABELS',
    Links: 'LINKS',
    Size: 'SIZE',
    Group: 'GROUP',
    Status: 'STATUS',
  },
  values: {
    Name: ({ Name }) => Name,
    Driver: ({ Driver }) => Driver,
    Scope: ({ Scope }) => Scope,
    Mountpoint: ({ Mountpoint }) => Mountpoint,
    Labels: ({ Labels }) => joinLabels(Labels),
    Links: ({ UsageData }) => (UsageData ? String(UsageData.RefCount) : 'N/A'),
    Size: ({ UsageData }) => (UsageData ? humanSize(UsageData.Size) : 'N/A'),
    Availability: () => 'N/A',
    Group: () => 'N/A',
    Status: () => 'N/A',
  },
  methods: { Label: ({ Labels }, [name]) => Labels?.[plain(name)] ?? '' },
}
