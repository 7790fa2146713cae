/** What a page of teaching is made of; sentences hold `{name}` where a value of this machine goes. */
export type Block =
  | { title: string }
  | { heading: string }
  | { prose: string }
  /** A line to be typed. */
  | { command: string }
  /** Lines that stay as they are, 80 columns wide at most. */
  | { picture: readonly string[] }
  | { entries: readonly (readonly [term: string, text: string])[] }
  /** A table of this machine's own values. */
  | { facts: "namespaces" | "hierarchies" | "ids" }

/** A page, from its title on. */
export type Page = readonly Block[]
