/** Building blocks of the wire schemas: Go's number types, string lists and the maps that Docker uses everywhere. */
import * as z from 'zod'

const integer = (minimum: number, maximum: number, format: string) =>
  z
    .number()
    .min(minimum)
    .max(maximum)
    .refine(Number.isInteger, { error: 'expected an integer' })
    .meta({ type: 'integer', format })

/** Go's int64. Above 2^53 the value is the nearest double, as JSON.parse gives it. */
export const int64 = integer(-(2 ** 63), 2 ** 63, 'int64')
export const uint64 = integer(0, 2 ** 64, 'uint64')
export const uint32 = integer(0, 2 ** 32 - 1, 'uint32')
export const uint16 = integer(0, 65_535, 'uint16')

/** Cmd and Entrypoint: a list, for which requests may also send one string (parse-body.ts makes the list). */
export const strSlice = z.array(z.string()).meta({ description: 'A list of strings; a single string is accepted.' })

export const strings = z.array(z.string())
export const stringMap = z.record(z.string(), z.string())
/** A set written as a map of empty objects: `{"80/tcp":{}}`. */
export const keySet = z.record(z.string(), z.object({}))
/** `[height, width]` in characters. */
export const consoleSize = z.tuple([uint32, uint32])
