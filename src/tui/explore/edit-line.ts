import type { InputEvent } from "../input/event.ts"

/** A line that is being typed. */
export interface EditLine {
  purpose: "filter" | "search" | "contents" | "extract"
  text: string
  /** Characters before the cursor. */
  at: number
}

/** No expression or path that somebody types is longer. */
const MAX_CHARACTERS = 1000

export function editLine(purpose: EditLine["purpose"], text = ""): EditLine {
  return { purpose, text, at: [...text].length }
}

/** The line after a key or pasted text, as readline's keys edit; undefined when it means nothing here. */
export function edited(line: EditLine, event: InputEvent): EditLine | undefined {
  const characters = [...line.text]
  const put = (text: string) => {
    const added = [...text.replace(/[\r\n\t]+/g, " ")].slice(0, Math.max(0, MAX_CHARACTERS - characters.length))
    return { ...line, text: characters.toSpliced(line.at, 0, ...added).join(""), at: line.at + added.length }
  }
  const cut = (from: number, to: number) =>
    from < 0 ? line : { ...line, text: characters.toSpliced(from, to - from).join(""), at: from }
  if (event.kind === "paste") return put(event.text)
  if (event.kind !== "key") return undefined
  switch (event.key) {
    case "backspace":
    case "ctrl+h":
      return cut(line.at - 1, line.at)
    case "delete":
    case "ctrl+d":
      return cut(line.at, line.at + 1)
    case "ctrl+u":
      return cut(0, line.at)
    case "ctrl+k":
      return cut(line.at, characters.length)
    case "ctrl+w":
      return cut(wordBefore(characters, line.at), line.at)
    case "left":
    case "ctrl+b":
      return { ...line, at: Math.max(0, line.at - 1) }
    case "right":
      return { ...line, at: Math.min(characters.length, line.at + 1) }
    case "home":
    case "ctrl+a":
      return { ...line, at: 0 }
    case "end":
    case "ctrl+e":
      return { ...line, at: characters.length }
    default:
      return event.text === undefined ? undefined : put(event.text)
  }
}

function wordBefore(characters: readonly string[], at: number): number {
  let from = at
  while (from > 0 && characters[from - 1] === " ") from--
  while (from > 0 && characters[from - 1] !== " ") from--
  return from
}
