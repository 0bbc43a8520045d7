/** Where Python's tarfile and Docker read an archive differently, what is refused, and in which words. */
import type { Entry } from './entries.ts'

const file: Entry = {
  name: 'file',
  kind: 'file',
  mode: '644',
  owner: '0:0',
  time: '1500000000',
  size: 8,
  sha256: '434728a410a78f56fc1b5899c3593436e61ab0c731e9072d95e96db290205e53',
}

/** What Docker makes of what Python reads otherwise, or not at all. */
export const expectedEntries: Readonly<Record<string, Entry[]>> = {
  // A global header is read past.
  'global-pax': [file],
  'volume-label': [file],
  // An empty value takes a record back.
  'pax-taken-back': [file],
  nothing: [],
  'cut-padding': [file],
}

const badHeader = 'archive/tar: invalid tar header'

/** Of `PUT archive`. What stands here is not in the archives that are taken. */
export const refusals: Readonly<Record<string, string>> = {
  'bad-rubbish': badHeader,
  'bad-text': badHeader,
  'bad-checksum': badHeader,
  'bad-pax': badHeader,
  'bad-number': badHeader,
  'bad-sparse-order': badHeader,
  'bad-zero-block-between': badHeader,
  'bad-short': 'unexpected EOF',
  'bad-cut-header': 'unexpected EOF',
  'bad-cut-data': 'unexpected EOF',
  'bad-type': 'unhandled tar header type 90',
  'bad-climb': '"../../file" is outside of "/DIRECTORY"',
  'bad-hard-link': 'Could not find the file /DIRECTORY in container cc',
}

/** Go's reader knows these, but dockerd takes no such entries: what it says. GNU tar, and so people, write them. */
export const acceptedBeyondDockerd: Readonly<Record<string, string>> = {
  contiguous: 'unhandled tar header type 55',
  'volume-label': 'unhandled tar header type 86',
  'sparse-old-short': 'unhandled tar header type 83',
  'sparse-old-long': 'unhandled tar header type 83',
  'tar-gnu-sparse': 'unhandled tar header type 83',
  'tar-oldgnu-sparse': 'unhandled tar header type 83',
}
