/** Words in lines of `width` characters at most, where words allow it; the text's own line ends stay. */
export function wrap(text: string, width: number): string[] {
  return text.split("\n").flatMap((paragraph) => {
    const lines: string[] = []
    for (const word of paragraph.split(" ")) {
      const last = lines.at(-1)
      if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
      else lines.push(word)
    }
    return lines
  })
}

/** `label` and its text beside it, further lines below the text; one line where there is no terminal to be too narrow. */
export function hanging(label: string, text: string, width: number | undefined): string[] {
  const lines = width === undefined ? [text] : wrap(text, Math.max(24, width - label.length))
  return lines.map((line, index) => `${index === 0 ? label : " ".repeat(label.length)}${line}`.trimEnd())
}
