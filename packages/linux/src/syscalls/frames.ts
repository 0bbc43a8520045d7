/** Encodes requests to the C program and decodes its answers: length-prefixed messages of typed fields. */
import { tag } from './protocol.ts'

const prefixBytes = 4
const headerBytes = prefixBytes + 6
const fieldHeaderBytes = 6
/** An answer is small; the largest is an exit with the runtime's log. */
const answerLimitBytes = 256 * 1024

export type FieldValue = string | number | bigint | Uint8Array
export type Field = readonly [tag: number, value: FieldValue]

/** One message. Texts go with a closing NUL, numbers as 64 bits. Throws TypeError for a text with NUL inside. */
export function encodeMessage(id: number, code: number, fields: readonly Field[]): Buffer {
  const encoded = fields.map(([fieldTag, value]) => ({ fieldTag, bytes: encodeValue(value) }))
  const size = encoded.reduce((sum, { bytes }) => sum + fieldHeaderBytes + bytes.length, headerBytes)
  const message = Buffer.allocUnsafe(size)
  message.writeUInt32LE(size - prefixBytes, 0)
  message.writeUInt32LE(id, 4)
  message.writeUInt16LE(code, 8)
  let at = headerBytes
  for (const { fieldTag, bytes } of encoded) {
    message.writeUInt16LE(fieldTag, at)
    message.writeUInt32LE(bytes.length, at + 2)
    message.set(bytes, at + fieldHeaderBytes)
    at += fieldHeaderBytes + bytes.length
  }
  return message
}

function encodeValue(value: FieldValue): Uint8Array {
  if (typeof value === 'string') {
    if (value.includes('\0')) throw new TypeError('a text for the kernel must not contain NUL')
    return Buffer.from(`${value}\0`)
  }
  if (typeof value === 'object') return value
  const bytes = Buffer.allocUnsafe(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

/** A received message. `code` is 0 or an errno. */
export class Message {
  readonly id: number
  readonly code: number
  readonly #fields: readonly { fieldTag: number; bytes: Buffer }[]

  constructor(bytes: Buffer) {
    this.id = bytes.readUInt32LE(0)
    this.code = bytes.readUInt16LE(4)
    const fields: { fieldTag: number; bytes: Buffer }[] = []
    for (let at = headerBytes - prefixBytes; at < bytes.length; ) {
      const size = bytes.readUInt32LE(at + 2)
      const start = at + fieldHeaderBytes
      if (start + size > bytes.length) throw new RangeError('malformed answer of the C program')
      fields.push({ fieldTag: bytes.readUInt16LE(at), bytes: bytes.subarray(start, start + size) })
      at = start + size
    }
    this.#fields = fields
  }

  text(fieldTag: number): string | undefined {
    return this.#find(fieldTag)?.toString('utf8').replace(/\0$/, '')
  }

  /** Undefined when the field is missing. */
  bigint(fieldTag: number): bigint | undefined {
    const bytes = this.#find(fieldTag)
    return bytes?.length === 8 ? bytes.readBigUInt64LE() : undefined
  }

  number(fieldTag: number): number | undefined {
    const value = this.bigint(fieldTag)
    return value === undefined ? undefined : Number(value)
  }

  get errorText(): string {
    return this.text(tag.TEXT) ?? 'the request failed'
  }

  #find(fieldTag: number): Buffer | undefined {
    return this.#fields.find((field) => field.fieldTag === fieldTag)?.bytes
  }
}

/** Cuts a byte stream into messages. */
export class MessageReader {
  #rest: Buffer = Buffer.alloc(0)

  /** Adds bytes and answers the messages that are whole now. Throws RangeError when the peer speaks something else. */
  push(chunk: Buffer): Message[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const messages: Message[] = []
    for (;;) {
      const size = this.#wholeSize()
      if (size === undefined) return messages
      messages.push(new Message(this.#rest.subarray(prefixBytes, size)))
      this.#rest = this.#rest.subarray(size)
    }
  }

  /** Bytes after the last whole message. */
  get rest(): Buffer {
    return this.#rest
  }

  #wholeSize(): number | undefined {
    if (this.#rest.length < prefixBytes) return undefined
    const size = this.#rest.readUInt32LE(0)
    if (size < headerBytes - prefixBytes || size > answerLimitBytes) {
      throw new RangeError('malformed answer of the C program')
    }
    return this.#rest.length < prefixBytes + size ? undefined : prefixBytes + size
  }
}
