/** Names that are not of members of a network, but of what stands for several: whoever knows them tells the resolver. */

/** What a name stands for. */
export type NamedRecord =
  | { type: "address"; address: string }
  /** Behind which port of whose name it is answered (RFC 2782). */
  | { type: "service"; target: string; port: number }
  /** Of an address: what it is called. */
  | { type: "pointer"; target: string }
  | { type: "text"; text: string }

/** An answer: there is the name, with or without records; or it is another's, whom to ask for. */
export type NamedAnswer =
  { records: readonly NamedRecord[]; additional?: readonly (NamedRecord & { name: string })[] } | { alias: string }

/** Who knows such names. Asked for each question: it must be quick, and is never told of changes. */
export interface NameSource {
  /** `name`: in lower case, without the last dot. `"none"`: it is ours, and there is none; undefined: it is not ours to know. */
  find(name: string): NamedAnswer | "none" | undefined
  /** What an address is called. */
  nameOf(address: string): string | undefined
}
