/** What a YAML text says, before anything is made of it: styles, tags and places are kept. */
export type YamlNode = YamlScalar | YamlMap | YamlList | YamlAlias

interface Common {
  /** Offset in the text. */
  at: number
  /** As written: `!reset`, `!!str`. */
  tag?: string
}

/** A text, as it reads once quotes, folds and escapes are gone. */
export interface YamlScalar extends Common {
  kind: "scalar"
  text: string
  /** Neither quoted nor a block: it may be a number, a boolean, nothing. */
  isPlain: boolean
}

/** Pairs in the order of the text; keys may repeat. */
export interface YamlMap extends Common {
  kind: "map"
  pairs: YamlPair[]
}

/** One of a mapping. */
export interface YamlPair {
  key: YamlNode
  value: YamlNode
}

/** A sequence. */
export interface YamlList extends Common {
  kind: "list"
  items: YamlNode[]
}

/** `*name`: the node itself, which may be one that the alias stands in. */
export interface YamlAlias extends Common {
  kind: "alias"
  name: string
  target: YamlNode
}

/** What is wrong with the text, in the words of libyaml, which tools look for; `at`: an offset. */
export class YamlSyntaxError extends SyntaxError {
  readonly at: number

  constructor(message: string, at: number) {
    super(message)
    this.at = at
  }
}
