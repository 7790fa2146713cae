/** Bytes of a terminal to what they mean: xterm's ctlseqs, with the forms of rxvt, the Linux console, and `CSI u`. */
import { CODED_KEYS, controlKey, FINAL_KEYS, KEYPAD, NUMBERED_KEYS } from "./control-keys.ts"
import type { InputEvent, KeyEvent, MouseEvent } from "./event.ts"

const ESC = 0x1b
/** No key's sequence is longer; what is, is dropped. */
const MAX_SEQUENCE = 128
/** More pasted text than that is for no line that is edited here. */
const MAX_PASTE_BYTES = 64 * 1024
const MAX_STRING_BYTES = 64 * 1024
const PASTE_END = Buffer.from("\x1b[201~", "latin1")
const MAX_CODE_POINT = 0x10ffff

/** How many bytes were read, and what they mean; undefined while more must come. */
interface Step {
  used: number
  event?: InputEvent | undefined
}

/**
 * Decodes what comes in pieces of any size: sequences and characters may be split anywhere. A lone ESC may be the key, or the
 * beginning of a sequence: `isWaiting` says so, and after a while the caller calls `flush`.
 */
export class InputDecoder {
  #bytes = Buffer.alloc(0)
  #paste: Buffer[] | undefined
  #pasteBytes = 0

  /** Whether bytes wait for the rest of their sequence. */
  get isWaiting(): boolean {
    return this.#bytes.length > 0
  }

  feed(bytes: Uint8Array): InputEvent[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes])
    return this.#decode(false)
  }

  /** Nothing more has come: what waits is what it looks like so far. */
  flush(): InputEvent[] {
    return this.#paste ? [] : this.#decode(true)
  }

  #decode(isLast: boolean): InputEvent[] {
    const events: InputEvent[] = []
    while (this.#bytes.length > 0) {
      if (this.#paste) {
        const pasted = this.#pasted(this.#paste)
        if (!pasted) break
        events.push(pasted)
        continue
      }
      const step = stepOf(this.#bytes, isLast)
      if (!step) break
      this.#bytes = this.#bytes.subarray(step.used)
      if (step.event?.kind === "paste") this.#paste = []
      else if (step.event) events.push(step.event)
    }
    return events
  }

  /** Takes up to the end of what is pasted; undefined while that has not come. */
  #pasted(parts: Buffer[]): InputEvent | undefined {
    const end = this.#bytes.indexOf(PASTE_END)
    // the end itself may be split
    const sure = end >= 0 ? end : Math.max(0, this.#bytes.length - PASTE_END.length + 1)
    const room = Math.max(0, MAX_PASTE_BYTES - this.#pasteBytes)
    if (sure > 0) parts.push(Buffer.from(this.#bytes.subarray(0, Math.min(sure, room))))
    this.#pasteBytes += Math.min(sure, room)
    this.#bytes = this.#bytes.subarray(end >= 0 ? end + PASTE_END.length : sure)
    if (end < 0) return undefined
    this.#paste = undefined
    this.#pasteBytes = 0
    return { kind: "paste", text: Buffer.concat(parts).toString("utf8") }
  }
}

function stepOf(bytes: Buffer, isLast: boolean): Step | undefined {
  const [first = 0] = bytes
  if (first === ESC) return escapeStep(bytes, isLast)
  if (first < 0x20 || first === 0x7f) return { used: 1, event: keyEvent(controlKey(first)) }
  return characterStep(bytes, isLast)
}

function characterStep(bytes: Buffer, isLast: boolean): Step | undefined {
  const [first = 0] = bytes
  const length = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 1
  let used = 1
  while (used < length && ((bytes[used] ?? 0) & 0xc0) === 0x80) used++
  if (used < length && used === bytes.length && !isLast) return undefined
  const text = used === length ? bytes.subarray(0, used).toString("utf8") : "\ufffd"
  return { used, event: characterEvent(text) }
}

function characterEvent(text: string): KeyEvent {
  return { kind: "key", key: text === " " ? "space" : text, text }
}

function keyEvent(key: string): KeyEvent {
  return { kind: "key", key }
}

function escapeStep(bytes: Buffer, isLast: boolean): Step | undefined {
  if (bytes.length === 1) return isLast ? { used: 1, event: keyEvent("esc") } : undefined
  const second = String.fromCharCode(bytes[1] ?? 0)
  if (second === "[") return csiStep(bytes, isLast)
  if (second === "O") return ss3Step(bytes, isLast)
  if (second === "]" || second === "P" || second === "_" || second === "^") return stringStep(bytes, isLast)
  if (second === "\x1b") {
    // alt with a sequence, as rxvt sends it; else the key itself, and after it something else
    if (bytes.length === 2 && !isLast) return undefined
    const third = bytes[2]
    if (third !== 0x5b && third !== 0x4f) return { used: 1, event: keyEvent("esc") }
    const inner = escapeStep(bytes.subarray(1), isLast)
    return inner && { used: inner.used + 1, event: withAlt(inner.event) }
  }
  const inner = stepOf(bytes.subarray(1), isLast)
  return inner && { used: inner.used + 1, event: withAlt(inner.event) }
}

function withAlt(event: InputEvent | undefined): InputEvent | undefined {
  if (event?.kind !== "key" || event.key.startsWith("alt+")) return event
  if (event.key.startsWith("ctrl+")) return keyEvent(`ctrl+alt+${event.key.slice("ctrl+".length)}`)
  return keyEvent(`alt+${event.key}`)
}

/** `ESC O letter`, with a modifier between in old terminals. */
function ss3Step(bytes: Buffer, isLast: boolean): Step | undefined {
  // oxlint-disable-next-line no-control-regex
  const [, modifier = "", letter] = /^\x1bO(\d?)([A-Za-z])/.exec(bytes.toString("latin1", 0, 4)) ?? []
  if (letter !== undefined) {
    const used = 3 + modifier.length
    const typed = KEYPAD[letter]
    if (typed !== undefined && typed !== "enter") return { used, event: characterEvent(typed) }
    const key = FINAL_KEYS[letter] ?? typed
    return { used, event: key === undefined ? undefined : keyEvent(modified(key, Number(modifier || 1))) }
  }
  if (bytes.length < 3 && !isLast) return undefined
  return { used: 2, event: keyEvent("alt+O") }
}

/** Answers that a terminal gives (OSC, DCS, APC, PM) end by BEL or ST. Nobody asked: they mean nothing here. */
function stringStep(bytes: Buffer, isLast: boolean): Step | undefined {
  const text = bytes.toString("latin1", 0, MAX_STRING_BYTES)
  // oxlint-disable-next-line no-control-regex
  const end = /\x07|\x1b\\/.exec(text.slice(2))
  if (end) return { used: 2 + end.index + end[0].length }
  if (isLast && bytes.length <= 2) return { used: 2, event: keyEvent(`alt+${text.charAt(1)}`) }
  return isLast || bytes.length >= MAX_STRING_BYTES ? { used: bytes.length } : undefined
}

// ECMA-48 5.4: parameters, intermediates, one final; the Linux console has `[ [` before its final, rxvt ends by $, ^ and @
const CSI =
  // oxlint-disable-next-line no-control-regex
  /^\x1b\[(\[[A-E]|\?[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]|[\x30-\x3f]*[\x20-\x23\x25-\x2f]*[\x40-\x7e]|[\d;]+\$)/

function csiStep(bytes: Buffer, isLast: boolean): Step | undefined {
  const text = bytes.toString("latin1", 0, MAX_SEQUENCE)
  const [all, body] = CSI.exec(text) ?? []
  if (all !== undefined && body !== undefined) {
    // X10's mouse: three bytes follow
    if (body === "M") return bytes.length >= 6 ? { used: 6 } : isLast ? { used: bytes.length } : undefined
    return { used: all.length, event: csiEvent(body) }
  }
  // oxlint-disable-next-line no-control-regex
  const broken = /^\x1b\[[\x20-\x3f]*[^\x20-\x7e]/.exec(text)
  if (broken) return { used: broken[0].length - 1 } // what breaks it may begin another
  if (bytes.length >= MAX_SEQUENCE) return { used: MAX_SEQUENCE }
  if (!isLast) return undefined
  return bytes.length === 2 ? { used: 2, event: keyEvent("alt+[") } : { used: bytes.length }
}

function csiEvent(body: string): InputEvent | undefined {
  const final = body.at(-1) ?? ""
  if (body.startsWith("[")) return keyEvent(`f${"ABCDE".indexOf(final) + 1}`)
  if (body.startsWith("<")) return mouseEvent(body)
  if (/^[?>=]/.test(body)) return undefined // answers
  const groups = body
    .slice(0, -1)
    .split(";")
    .map((group) => group.split(":").map(Number))
  const [[number = 0] = [], [modifiers = 1, phase = 1] = []] = groups
  if (phase === 3) return undefined // a release
  if (final === "u") return codedKey(number, modifiers)
  if (final === "~" && number === 200) return { kind: "paste", text: "" }
  if (final === "~" && number === 27) return codedKey(groups[2]?.[0] ?? 0, modifiers)
  if (final === "Z") return keyEvent("shift+tab")
  if (final === "~" || final === "$" || final === "^" || final === "@") {
    const key = NUMBERED_KEYS[number]
    if (key === undefined) return undefined
    // rxvt's finals: shift, control, both
    return keyEvent(modified(key, { "~": modifiers, $: 2, "^": 5, "@": 6 }[final] ?? 1))
  }
  const key = FINAL_KEYS[final]
  if (key !== undefined) return keyEvent(modified(key, modifiers))
  // rxvt: shift with an arrow
  const shifted = /^[abcd]$/.test(body) ? FINAL_KEYS[body.toUpperCase()] : undefined
  return shifted === undefined ? undefined : keyEvent(`shift+${shifted}`)
}

/** `CSI code ; modifiers u`, and xterm's modifyOtherKeys: a key by its code point. */
function codedKey(code: number, modifiers: number): KeyEvent | undefined {
  const named = CODED_KEYS[code]
  if (named !== undefined) {
    if (named === "space" && isPlain(modifiers)) return characterEvent(" ")
    return keyEvent(modified(named, modifiers))
  }
  const isCharacter = code > 0x20 && code <= MAX_CODE_POINT && !(code >= 0xd800 && code <= 0xf8ff)
  if (!isCharacter) return undefined // keys of media, and modifiers alone
  const character = String.fromCodePoint(code)
  if (isPlain(modifiers)) return characterEvent((modifiers - 1) & 1 ? character.toUpperCase() : character)
  return keyEvent(modified((modifiers - 1) & 4 ? character.toLowerCase() : character, modifiers))
}

/** Shift alone, or nothing; Caps Lock and Num Lock say nothing of a key. */
function isPlain(modifiers: number): boolean {
  return ((modifiers - 1) & 0b0011_1110) === 0
}

/** `modifiers` is 1 + shift 1, alt 2, control 4, super 8, hyper 16, meta 32 (xterm's ctlseqs). */
function modified(key: string, modifiers: number): string {
  const bits = modifiers - 1
  const isLetter = key.length === 1
  return `${bits & 4 ? "ctrl+" : ""}${bits & 0b10_0010 ? "alt+" : ""}${bits & 1 && !isLetter ? "shift+" : ""}${key}`
}

/** `CSI < buttons ; column ; row M` or `m` for a release (xterm's mode 1006). */
function mouseEvent(body: string): MouseEvent | undefined {
  const [, buttons, column, row, final] = /^<(\d{1,4});(\d{1,5});(\d{1,5})([Mm])$/.exec(body) ?? []
  if (final === undefined) return undefined
  const code = Number(buttons)
  const place = { row: Number(row) - 1, column: Number(column) - 1 }
  if (place.row < 0 || place.column < 0) return undefined
  if (code & 64) {
    if ((code & 3) > 1) return undefined // sideways
    return { kind: "mouse", action: code & 1 ? "wheel-down" : "wheel-up", ...place }
  }
  const button = code & 3
  if (button === 3) return undefined // no button: only moved
  return { kind: "mouse", action: final === "m" ? "release" : code & 32 ? "drag" : "press", button, ...place }
}
