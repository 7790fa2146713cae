/** Plain where every reader of YAML takes the text for a string: no word, number or sign of YAML's own. */
const PLAIN = /^[A-Za-z_/][\w./@+=-]*(?:(?: |:(?! )|,)[\w./@+=-]+)*$/
const WORD = /^(?:true|false|null|yes|no|on|off|y|n|~)$/i

/**
 * One YAML document (YAML 1.2, and read the same by readers of 1.1): blocks, keys sorted, lists as far in as their key, as
 * Kubernetes' tools write. Undefined values are left out. Pure.
 */
export function writeYaml(document: object): string {
  return `${lines(document).join("\n")}\n`
}

function lines(value: object): string[] {
  if (Array.isArray(value)) return value.flatMap(item)
  return Object.entries(value)
    .filter(([, one]) => one !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, one]) => entry(scalar(key), one))
}

function entry(key: string, value: unknown): string[] {
  if (!isBlock(value)) return [`${key}: ${scalar(value)}`]
  const below = lines(value)
  return [`${key}:`, ...(Array.isArray(value) ? below : below.map((line) => `  ${line}`))]
}

/** What is in a list begins behind its dash. */
function item(value: unknown): string[] {
  if (!isBlock(value)) return [`- ${scalar(value)}`]
  return lines(value).map((line, index) => `${index === 0 ? "- " : "  "}${line}`)
}

function isBlock(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.values(value).some((one) => one !== undefined)
}

function scalar(value: unknown): string {
  if (typeof value === "string") return PLAIN.test(value) && !WORD.test(value) ? value : quoted(value)
  return Array.isArray(value) ? "[]" : typeof value === "object" && value !== null ? "{}" : JSON.stringify(value)
}

/** JSON's escapes are YAML's; what JSON leaves as it is and YAML reads as a line break is escaped, too. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[\u007f-\u009f\u2028\u2029\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}
