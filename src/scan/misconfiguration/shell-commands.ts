/** A text for the shell is looked at so far: more is nothing that somebody wrote by hand. */
const MAX_CHARACTERS = 256 * 1024

/**
 * The simple commands of a shell text (POSIX shell, 2.9), each as its words, in order: split at `&&`, `||`, `;`, `|`, `&`, line ends and
 * brackets, quotes and escapes taken away, variables and substitutions left as they are written. In linear time.
 */
export function shellCommands(text: string): string[][] {
  const commands: string[][] = []
  let words: string[] = []
  let word = ""
  let isWord = false
  const endWord = () => {
    if (isWord) words.push(word)
    word = ""
    isWord = false
  }
  const endCommand = () => {
    endWord()
    if (words.length > 0) commands.push(words)
    words = []
  }
  const end = Math.min(text.length, MAX_CHARACTERS)
  for (let at = 0; at < end; at++) {
    const character = text[at] ?? ""
    if (character === "\\") {
      if (text[at + 1] !== "\n") {
        word += text[at + 1] ?? ""
        isWord = true
      }
      at++
    } else if (character === "'" || character === '"') {
      const [content, next] = quoted(text, at, end)
      word += content
      isWord = true
      at = next
    } else if (character === "#" && !isWord) {
      while (at + 1 < end && text[at + 1] !== "\n") at++
    } else if (SEPARATORS.has(character)) endCommand()
    else if (character === " " || character === "\t" || character === "\r") endWord()
    else {
      word += character
      isWord = true
    }
  }
  endCommand()
  return commands
}

const SEPARATORS = new Set(["&", "|", ";", "\n", "(", ")"])

/** What stands between the quotes at `start`, and where the closing one is. */
function quoted(text: string, start: number, end: number): [content: string, next: number] {
  const quote = text[start]
  let content = ""
  let at = start + 1
  for (; at < end && text[at] !== quote; at++) {
    if (text[at] === "\\" && quote === '"') at++
    content += text[at] ?? ""
  }
  return [content, at]
}

/** Words that only say how the next one is run. */
const PREFIXES = new Set([
  "sudo",
  "env",
  "exec",
  "time",
  "nice",
  "command",
  "then",
  "do",
  "else",
  "if",
  "while",
  "!",
  "{",
])
const ASSIGNMENT = /^[A-Za-z_]\w*=/

/** The program that a simple command runs, and its words; what stands before it (`VAR=x`, `sudo -E`) is left out. */
export function programOf(words: readonly string[]): { program: string; args: readonly string[] } {
  let at = 0
  while (at < words.length - 1) {
    const word = words[at] ?? ""
    const isFlagOfPrefix = at > 0 && word.startsWith("-")
    if (!ASSIGNMENT.test(word) && !PREFIXES.has(word) && !isFlagOfPrefix) break
    at++
  }
  const path = words[at] ?? ""
  return { program: path.slice(path.lastIndexOf("/") + 1), args: words.slice(at + 1) }
}
