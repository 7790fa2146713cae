/** Names of the DNS: labels of bytes (RFC 1035, section 3.1), and the text that we know them by. Pure. */

/** RFC 1035, section 2.3.4. */
const LONGEST_NAME = 255
const LONGEST_LABEL = 63
const POINTER = 0xc0

/** Bytes that are no message of the DNS. It goes no further than the resolver. */
export class MalformedMessage extends Error {
  override name = "MalformedMessage"
}

/**
 * The name at a place in a message, in lower case, and where it ends there. Throws MalformedMessage: a pointer leads only to what
 * stands before the name's own beginning, so there is an end to it.
 */
export function readName(message: Uint8Array, start: number): { name: string; end: number } {
  const labels: string[] = []
  let [at, begin, bytes] = [start, start, 1]
  let end: number | undefined
  for (;;) {
    const length = byteAt(message, at)
    if (length === 0) return { name: labels.join("."), end: end ?? at + 1 }
    if ((length & POINTER) === POINTER) {
      end ??= at + 2
      const target = ((length & ~POINTER) << 8) | byteAt(message, at + 1)
      if (target >= begin) throw new MalformedMessage("a name points forward")
      at = begin = target
      continue
    }
    if (length > LONGEST_LABEL || at + 1 + length > message.length) throw new MalformedMessage("a label is too long")
    bytes += length + 1
    if (bytes > LONGEST_NAME) throw new MalformedMessage("a name is too long")
    labels.push(labelText(message.subarray(at + 1, at + 1 + length)))
    at += length + 1
  }
}

/** Where the name at this place ends, wherever it points to. Throws MalformedMessage. */
export function skipName(message: Uint8Array, start: number): number {
  for (let at = start; ;) {
    const length = byteAt(message, at)
    if (length === 0) return at + 1
    if ((length & POINTER) === POINTER) return at + 2
    if (length > LONGEST_LABEL) throw new MalformedMessage("a label is too long")
    at += length + 1
  }
}

function byteAt(message: Uint8Array, at: number): number {
  const byte = message[at]
  if (byte === undefined) throw new MalformedMessage("a name is cut off")
  return byte
}

const PLAIN = /^[a-z0-9_-]*$/

/** A dot inside a label must not be taken for one between two (RFC 4343, section 2.1: `\DDD`). */
function labelText(label: Uint8Array): string {
  const text = Buffer.from(label.buffer, label.byteOffset, label.length).toString("latin1").toLowerCase()
  return PLAIN.test(text) ? text : text.replace(/[^a-z0-9_-]/g, escaped)
}

const escaped = (character: string): string => `\\${String(character.charCodeAt(0)).padStart(3, "0")}`

/** The bytes of a name that is ours to give: of labels that need no escape. Undefined when no message can hold it. */
export function tryWriteName(name: string): Uint8Array | undefined {
  const labels = name === "" ? [] : name.split(".")
  const size = labels.reduce((sum, label) => sum + label.length + 1, 1)
  if (size > LONGEST_NAME || !labels.every(isLabel)) return undefined
  const bytes = new Uint8Array(size)
  let at = 0
  for (const label of labels) {
    bytes[at] = label.length
    bytes.set(Buffer.from(label, "latin1"), at + 1)
    at += label.length + 1
  }
  return bytes
}

/** The same, of a name that is known to be one. Throws MalformedMessage. */
export function writeName(name: string): Uint8Array {
  const bytes = tryWriteName(name)
  if (bytes === undefined) throw new MalformedMessage(`no name of the DNS: ${JSON.stringify(name)}`)
  return bytes
}

const isLabel = (label: string): boolean => /^[A-Za-z0-9_-]{1,63}$/.test(label)
