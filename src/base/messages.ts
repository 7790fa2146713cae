/**
 * Sentences in several languages: a catalogue is a table of sentences by key, with `{name}` where a value goes. All catalogues of
 * one subject have the same keys, so a key that one lacks is an error of the type checker.
 */
export type Catalogue<Key extends string = string> = Readonly<Record<Key, string>>

/** Languages that there are sentences in. */
export type Language = "en" | "fr"

/** What a sentence is filled with. */
export type Values = Readonly<Record<string, string | number>>

/** `sentence` with each `{name}` replaced by its value; one without a value stays, so that it is seen. */
export function fill(sentence: string, values: Values = {}): string {
  return sentence.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}
