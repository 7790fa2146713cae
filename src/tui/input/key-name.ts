import { InvalidArgument } from "../../base/errors.ts"

const MODIFIERS = ["ctrl", "alt", "shift"] as const
/** Other names of keys: dive's settings know them by those of its library. */
const ALIASES: Readonly<Record<string, string>> = {
  escape: "esc",
  return: "enter",
  pageup: "pgup",
  "page-up": "pgup",
  pagedown: "pgdn",
  pgdown: "pgdn",
  "page-down": "pgdn",
  del: "delete",
  ins: "insert",
  bs: "backspace",
  slash: "/",
  backslash: "\\",
  comma: ",",
  plus: "+",
  arrowup: "up",
  arrowdown: "down",
  arrowleft: "left",
  arrowright: "right",
}
const NAMED =
  /^(?:esc|enter|tab|space|backspace|delete|insert|home|end|pgup|pgdn|up|down|left|right|f(?:[1-9]|1[0-2]))$/

/**
 * Keys as settings write them: `ctrl+f, ctrl+slash`, `up,k`. Gives their names as `KeyEvent` has them. Throws InvalidArgument
 * with `field`.
 */
export function parseKeys(text: string, field: string): string[] {
  const words = text
    .split(",")
    .map((word) => word.trim())
    .filter(Boolean)
  if (words.length === 0) throw wrong(text, field)
  return words.map((word) => parseKey(word, field))
}

function parseKey(word: string, field: string): string {
  const parts = word === "+" ? ["+"] : word.split(/[+ ]+/).filter(Boolean)
  const last = parts.pop() ?? ""
  const modifiers = new Set(parts.map((part) => part.toLowerCase().replace(/^control$/, "ctrl")))
  for (const modifier of modifiers) if (!MODIFIERS.some((known) => known === modifier)) throw wrong(word, field)
  const lower = ALIASES[last.toLowerCase()] ?? last.toLowerCase()
  const isNamed = NAMED.test(lower)
  const isCharacter = [...last].length === 1 || lower.length === 1
  if (!isNamed && !isCharacter) throw wrong(word, field)
  let key = isNamed || modifiers.size > 0 || last.length > 1 ? lower : last
  if (modifiers.delete("shift") && !isNamed) key = key.toUpperCase()
  else if (isNamed && parts.some((part) => /^shift$/i.test(part))) modifiers.add("shift")
  const name = [...MODIFIERS.filter((modifier) => modifiers.has(modifier)), key].join("+")
  // what terminals send for both alike
  return { "ctrl+_": "ctrl+/", "ctrl+@": "ctrl+space", "ctrl+i": "tab", "ctrl+[": "esc" }[name] ?? name
}

function wrong(word: string, field: string): InvalidArgument {
  return new InvalidArgument(`"${word}" is no key`, {
    field,
    hint: "expected keys such as ctrl+f, up, pgdn, space or k, with commas between",
  })
}

/** A key as a line of help shows it: `^F`, `Tab`, `Space`. */
export function shownKey(key: string): string {
  const parts = /^((?:(?:ctrl|alt|shift)\+)*)(.+)$/s.exec(key)
  const [modifiers, name] = [parts?.[1] ?? "", parts?.[2] ?? key]
  const shown = name.length === 1 ? name : name.charAt(0).toUpperCase() + name.slice(1)
  const mark = modifiers.replace("ctrl+", "^").replace("alt+", "Alt-").replace("shift+", "Shift-")
  return mark.endsWith("^") && name.length === 1 ? `${mark}${name.toUpperCase()}` : `${mark}${shown}`
}
