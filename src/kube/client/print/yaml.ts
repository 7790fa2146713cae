/** Plain where every reader of YAML takes the text for a string: no word, number or sign of YAML's own. */
const PLAIN = /^(?:[\w/]|\.[A-Za-z_/])[\w./@+=%-]*(?:(?: |:(?! )|,)[\w./@+=%()-]+)*$/
const WORD = /^(?:true|false|null|yes|no|on|off|y|n|~)$/i
const NUMBER =
  /^[-+]?(?:0x[\da-f_]+|0o?[0-7_]+|0b[01_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:e[-+]?\d+)?|e[-+]?\d+|\.inf|\d+(?::[0-5]?\d)+(?:\.\d*)?)$|^\.nan$/i
const TIME = /^\d{4}-\d\d?-\d\d?(?:[Tt ].*)?$/
const MAX_NUMBER = 200
/** A text of lines that reads as it is: no blanks at the ends of lines, no signs that only escapes can write. */
// oxlint-disable-next-line no-control-regex
const LITERAL = /^(?! )[^\0-\x08\x0B-\x1F\x7F-\x9F\u2028\u2029\uFEFF]*$/

/**
 * One YAML document as kubectl prints them: keys sorted, lists as far in as their key, texts of several lines as such. Undefined values
 * are left out.
 */
export function kubeYaml(document: unknown): string {
  return isBlock(document) ? `${lines(document).join("\n")}\n` : `${scalar(document)}\n`
}

function lines(value: object): string[] {
  if (Array.isArray(value)) return value.flatMap(item)
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, one]) => entry(scalar(key), one))
}

function entry(key: string, value: unknown): string[] {
  if (typeof value === "string" && value.includes("\n") && isLiteral(value))
    return [`${key}: ${literalHead(value)}`, ...literalLines(value)]
  if (!isBlock(value)) return [`${key}: ${scalar(value)}`]
  const below = lines(value)
  return [`${key}:`, ...(Array.isArray(value) ? below : below.map((line) => (line === "" ? "" : `  ${line}`)))]
}

/** What is in a list begins behind its dash. */
function item(value: unknown): string[] {
  if (typeof value === "string" && value.includes("\n") && isLiteral(value))
    return [`- ${literalHead(value)}`, ...literalLines(value)]
  if (!isBlock(value)) return [`- ${scalar(value)}`]
  return lines(value).map((line, index) => (index === 0 ? `- ${line}` : line === "" ? "" : `  ${line}`))
}

/** Or a time. Of what is longer than any of them, what begins so. */
export function isNumber(text: string): boolean {
  return text.length > MAX_NUMBER ? /^[-+.\de]/i.test(text) : NUMBER.test(text) || TIME.test(text)
}

function isLiteral(text: string): boolean {
  return LITERAL.test(text) && !/[ \t]\n|[ \t]$|^\n/.test(text)
}

function literalHead(text: string): string {
  if (!text.endsWith("\n")) return "|-"
  return text.endsWith("\n\n") ? "|+" : "|"
}

function literalLines(text: string): string[] {
  const body = text.endsWith("\n") ? text.slice(0, -1) : text
  return body.split("\n").map((line) => (line === "" ? "" : `  ${line}`))
}

function isBlock(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.values(value).some((one) => one !== undefined)
}

function scalar(value: unknown): string {
  if (typeof value === "string")
    return PLAIN.test(value) && !WORD.test(value) && !isNumber(value) ? value : quoted(value)
  return Array.isArray(value)
    ? "[]"
    : typeof value === "object" && value !== null
      ? "{}"
      : (JSON.stringify(value) ?? "null")
}

/** JSON's escapes are YAML's; what JSON leaves as it is and YAML reads as a line break is escaped, too. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}
