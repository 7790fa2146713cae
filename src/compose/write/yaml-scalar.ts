/** How a text is to be written. */
type Style = "plain" | "single" | "double" | "literal"

const WORDS = new Set(
  "~ null Null NULL true True TRUE false False FALSE .nan .NaN .NAN .inf .Inf .INF +.inf +.Inf +.INF -.inf -.Inf -.INF".split(
    " ",
  ),
)
/** Booleans of YAML 1.1. */
const OLD_WORDS = new Set("y Y yes Yes YES on On ON n N no No NO off Off OFF".split(" "))
const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/
const INTEGER = /^[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const DATE =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[-+]\d\d:\d\d))|(?: (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?))?$/

/** What go-yaml looks at before it chooses a style. */
interface Traits {
  plain: boolean
  single: boolean
  block: boolean
}

/** Where a text stands: what is behind its key or dash is `indent` deep. */
export interface ScalarPlace {
  indent: number
  isKey?: boolean
}

/** Words and paths, which are most texts: nothing in them means something to YAML, unless the whole is one of its words. */
const WORD_OR_PATH = /^[A-Za-z/][\w./-]*$/

/** A text as go-yaml writes it: plain where it is read back as a text, in quotes or as a block else. */
export function yamlText(text: string, place: ScalarPlace): string {
  if (WORD_OR_PATH.test(text) && !WORDS.has(text) && !OLD_WORDS.has(text)) return text
  switch (styleOf(text, place.isKey === true)) {
    case "plain":
      return text
    case "single":
      return `'${text.replaceAll("'", "''")}'`
    case "literal":
      return literal(text, place.indent)
    default:
      return `"${doubleQuoted(text)}"`
  }
}

function styleOf(text: string, isKey: boolean): Style {
  const traits = traitsOf(text)
  const wanted: Style = text.includes("\n") ? "literal" : isPlainText(text) ? "plain" : "double"
  if (wanted === "literal") return isKey || !traits.block ? "double" : "literal"
  if (wanted === "plain" && !traits.plain) return traits.single ? "single" : "double"
  return wanted
}

/** Whether a reader takes it for a text when it stands without quotes. */
function isPlainText(text: string): boolean {
  if (text === "" || WORDS.has(text) || OLD_WORDS.has(text) || BASE_60.test(text)) return false
  if (text.startsWith(".")) return !isGoFloat(text)
  if (!/^[-+0-9]/.test(text)) return true
  const digits = text.replaceAll("_", "")
  return !isTimestamp(text) && !INTEGER.test(digits) && !(FLOAT.test(digits) && Number.isFinite(Number(digits)))
}

/** What begins with a point, Go's own reader of numbers looks at. */
function isGoFloat(text: string): boolean {
  return /^\.[0-9]+(?:[eE][-+]?[0-9]+)?$/.test(text)
}

function isTimestamp(text: string): boolean {
  const match = DATE.exec(text)
  if (!match) return false
  const [year, month, day, ...times] = match.slice(1).map((part) => (part === undefined ? 0 : Number(part)))
  const [hour = 0, minute = 0, second = 0] = times.slice(0, 3).some((one) => one !== 0)
    ? times.slice(0, 3)
    : times.slice(3)
  const last = new Date(Date.UTC(year ?? 0, month ?? 0, 0)).getUTCDate()
  return (
    (month ?? 0) >= 1 &&
    (month ?? 0) <= 12 &&
    (day ?? 0) >= 1 &&
    (day ?? 0) <= last &&
    hour < 24 &&
    minute < 60 &&
    second < 60
  )
}

function traitsOf(text: string): Traits {
  if (text === "") return { plain: true, single: true, block: false }
  const breakThenSpace = /[\n\r\u0085\u2028\u2029] /.test(text)
  const spaceThenBreak = / [\n\r\u0085\u2028\u2029]/.test(text)
  const hasBreak = /[\n\r\u0085\u2028\u2029]/.test(text)
  const isSpecial = SPECIAL.test(text)
  const isCarriage = /[\r\u0085]/.test(text)
  const hasTab = text.includes("\t")
  const isHard = spaceThenBreak || isSpecial || isCarriage
  return {
    plain: !/^[ ]|[ ]$/.test(text) && !hasBreak && !hasTab && !isHard && !hasIndicator(text),
    single: !breakThenSpace && !isHard && !hasTab,
    block: !text.endsWith(" ") && !isHard,
  }
}

/** Signs that mean something to YAML where they stand. */
function hasIndicator(text: string): boolean {
  return (
    text.startsWith("---") ||
    text.startsWith("...") ||
    /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
    /^[?:-](?:[ \t]|$)/.test(text) ||
    /:(?:[ \t]|$)/.test(text) ||
    /[ \t]#/.test(text)
  )
}

/** A character that is no tab, ends no line, and is not printed as it is (`isPrintable`). */
const SPECIAL = /[^\t\n\r\u0085\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u

/** What go-yaml prints as it is: nothing outside of the first plane. */
function isPrintable(character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return (
    (code >= 0x20 && code <= 0x7e) ||
    (code >= 0xa0 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd && code !== 0xfeff)
  )
}

function literal(text: string, indent: number): string {
  const hint = /^[ \n\r\u0085\u2028\u2029]/.test(text) ? "2" : ""
  const chomp = text.endsWith("\n") ? (text === "\n" || /[\n\r\u0085\u2028\u2029]\n$/.test(text) ? "+" : "") : "-"
  const margin = " ".repeat(indent)
  const lines = text.split("\n")
  if (text.endsWith("\n")) lines.pop()
  return [`|${hint}${chomp}`, ...lines.map((line) => (line === "" ? "" : `${margin}${line}`))].join("\n")
}

const ESCAPES: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u2028": "\\L",
  "\u2029": "\\P",
}

function doubleQuoted(text: string): string {
  return [...text]
    .map((character) => ESCAPES[character] ?? (isPrintable(character) ? character : escaped(character)))
    .join("")
}

function escaped(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
  if (hex.length <= 2) return `\\x${hex.padStart(2, "0")}`
  return hex.length <= 4 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`
}
