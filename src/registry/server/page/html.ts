/** HTML in which everything that comes from elsewhere is text. Pure. */
import { escapeMarkup } from "../../../base/escape-markup.ts"
import { printable } from "../../../base/printable.ts"

/** Markup of ours. */
export class Html {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  toString(): string {
    return this.#text
  }
}

/** What a page has between its tags. */
export type Content = Html | string | number | undefined | readonly Content[]

/** `html\`<p>${text}</p>\``: what is filled in is escaped, unless it was made by this very function. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(parts.map((part, at) => part + written(values[at])).join(""))
}

function written(value: Content): string {
  if (value === undefined) return ""
  if (value instanceof Html) return value.toString()
  if (Array.isArray(value)) return (value as readonly Content[]).map(written).join("")
  return escaped(String(value))
}

/** Safe between tags and in quoted attributes; marks that nobody sees, or that turn the direction of writing, are shown (CVE-2021-42574). */
export function escaped(text: string): string {
  return escapeMarkup(printable(text))
}
