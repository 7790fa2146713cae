import { InvalidArgument } from "../../base/errors.ts"
import { parseFloatText } from "./go-scalar.ts"

const SCALES: Readonly<Record<string, number>> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4, p: 1024 ** 5 }

/** Bytes as docker's files write them: `1.5g`, `64 MiB`, `100`; units are of 1024. Throws InvalidArgument in docker's words. */
export function parseByteSize(text: string): bigint {
  const end = Math.max(...[..."0123456789. "].map((character) => text.lastIndexOf(character)))
  if (end < 0) throw wrong(`size: '${text}'`)
  const number = text[end] === " " ? text.slice(0, end) : text.slice(0, end + 1)
  const suffix = text.slice(end + 1)
  const size = parseFloatText(number)
  if (size < 0) throw wrong(`size: '${text}'`)
  if (suffix === "" || suffix.toLowerCase() === "b") return whole(size)
  const lower = suffix.toLowerCase()
  const scale = SCALES[lower[0] ?? ""]
  if (scale === undefined || !/^.(i?b)?$/.test(lower)) throw wrong(`suffix: '${suffix.length > 3 ? suffix : lower}'`)
  return whole(size * scale)
}

function wrong(what: string): Error {
  return new InvalidArgument(`invalid ${what}`)
}

function whole(size: number): bigint {
  return BigInt(Math.trunc(size))
}
