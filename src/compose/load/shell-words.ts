/** How far the reader is in a line. */
interface Reading {
  words: string[]
  word: string
  hasWord: boolean
  /** Which quotes are open. */
  quote: "" | '"' | "'" | "`" | "("
  isEscaped: boolean
}

/**
 * The words of a command line, by the rules of the library that docker compose uses: quotes and backslashes as in a shell, no variables,
 * and an operator (`; & | < >`) ends the line. Undefined where a quote is left open.
 */
export function shellWords(line: string): string[] | undefined {
  const at: Reading = { words: [], word: "", hasWord: false, quote: "", isEscaped: false }
  for (const character of line) {
    if (at.quote === "" && !at.isEscaped && ";&|<>".includes(character)) {
      // `2>` is a redirection's number, not a word
      if (character === ">" && /^\d/.test(at.word)) at.hasWord = false
      break
    }
    if (!read(at, character)) return undefined
  }
  if (at.isEscaped || at.quote !== "") return undefined
  endWord(at)
  return at.words
}

/** False: the line makes no sense. */
function read(at: Reading, character: string): boolean {
  const { quote } = at
  if (at.isEscaped) {
    at.isEscaped = false
    add(at, character)
  } else if (character === "\\" && quote !== "'") at.isEscaped = true
  else if (/[ \t\r\n]/.test(character)) {
    if (quote === "") endWord(at)
    else at.word += character
  } else if (
    (character === '"' && quote !== "'" && quote !== "(") ||
    (character === "'" && quote !== '"' && quote !== "(")
  )
    toggle(at, character)
  else return readOther(at, character)
  return true
}

function toggle(at: Reading, character: '"' | "'"): void {
  if (at.quote === character) [at.quote, at.hasWord] = ["", true]
  else at.quote = character
}

/** Command substitutions are kept as they are. */
function readOther(at: Reading, character: string): boolean {
  const { quote } = at
  if (character === "`" && (quote === "" || quote === "`")) at.quote = quote === "" ? "`" : ""
  else if (character === ")" && (quote === "" || quote === "(")) at.quote = quote === "" ? "(" : ""
  else if (character === "(" && (quote === "" || quote === "(")) {
    if (quote === "(" || !at.word.endsWith("$")) return false
    at.quote = "("
  }
  add(at, character)
  return true
}

function add(at: Reading, text: string): void {
  at.word += text
  at.hasWord = true
}

function endWord(at: Reading): void {
  if (at.hasWord) at.words.push(at.word)
  at.word = ""
  at.hasWord = false
}
