/** Keys by the byte that a terminal has sent for them since teletypes (ECMA-48 C0). Enter and ^M, Tab and ^I are one byte each. */
export function controlKey(byte: number): string {
  if (byte === 0x00) return "ctrl+space"
  if (byte === 0x09) return "tab"
  if (byte === 0x0d) return "enter"
  if (byte === 0x1b) return "esc"
  if (byte === 0x1f) return "ctrl+/" // and ^_
  if (byte === 0x7f) return "backspace"
  return `ctrl+${String.fromCharCode(byte + 0x40).toLowerCase()}`
}

/** Final letters of `CSI` and `SS3` sequences (xterm's ctlseqs, "PC-Style Function Keys"). */
export const FINAL_KEYS: Readonly<Record<string, string>> = {
  A: "up",
  B: "down",
  C: "right",
  D: "left",
  E: "begin",
  F: "end",
  H: "home",
  P: "f1",
  Q: "f2",
  R: "f3",
  S: "f4",
}

/** The application keypad after `SS3`: what its keys write. */
export const KEYPAD: Readonly<Record<string, string>> = {
  M: "enter",
  X: "=",
  j: "*",
  k: "+",
  l: ",",
  m: "-",
  n: ".",
  o: "/",
  ...Object.fromEntries([..."pqrstuvwxy"].map((letter, digit) => [letter, String(digit)])),
}

/** Numbers of `CSI n ~` sequences. */
export const NUMBERED_KEYS: Readonly<Record<number, string>> = {
  1: "home",
  2: "insert",
  3: "delete",
  4: "end",
  5: "pgup",
  6: "pgdn",
  7: "home",
  8: "end",
  11: "f1",
  12: "f2",
  13: "f3",
  14: "f4",
  15: "f5",
  17: "f6",
  18: "f7",
  19: "f8",
  20: "f9",
  21: "f10",
  23: "f11",
  24: "f12",
}

/** Code points of `CSI u` sequences that are no characters. */
export const CODED_KEYS: Readonly<Record<number, string>> = {
  9: "tab",
  13: "enter",
  27: "esc",
  32: "space",
  127: "backspace",
  57414: "enter", // of the keypad
  57417: "left",
  57418: "right",
  57419: "up",
  57420: "down",
  57421: "pgup",
  57422: "pgdn",
  57423: "home",
  57424: "end",
  57425: "insert",
  57426: "delete",
}
