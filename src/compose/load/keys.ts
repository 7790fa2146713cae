/**
 * Every key of the Compose Specification, once: what the schema takes, how two files' values of it merge, which items of a list mean the
 * same, what its short form is, which texts are paths, what type it has in the finished model and in which place it is written. The phases
 * of the loader walk a tree and this table side by side; none of them names a key for itself unless its rule is its own.
 */

/** What JSON Schema calls a value. */
export type TypeName = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object"

/** How two values of a key become one. Absent: scalars replace, maps merge, lists append. */
export type MergeRule =
  | "replace"
  /** Lists and maps of `k=v`: appended as a list. */
  | "pairs"
  /** As `pairs`, but what is there already is not appended again. */
  | "hosts"
  /** A list of names is a map. */
  | "names"
  | "dependencies"
  | "build"
  | "logging"
  | "ulimit"
  | "subnets"

/** By what items of a list are the same. */
export type SameRule = "name" | "target" | "device" | "port" | "secret" | "config" | "envFile" | "text"

/** How the short form is made long. Lists are told of as wholes, items by the key `items`. */
export type LongForm =
  | "build"
  | "pairs"
  | "dependencies"
  | "device"
  | "envFiles"
  | "external"
  | "extends"
  | "gpus"
  | "include"
  | "mount"
  | "names"
  | "ports"
  | "ssh"
  | "text"
  | "texts"
  | "ulimit"
  | "volume"

/** Which texts of a value are paths. */
export type PathRule = "path" | "context" | "contexts" | "ssh" | "watch" | "mount" | "localVolume" | "include"

/** The type of a value in the finished model. */
export type ValueType =
  | "text"
  | "boolean"
  | "integer"
  /** As `integer`, but a text is none. */
  | "whole"
  | "float"
  /** A number that the model has as a text. */
  | "amount"
  | "bytes"
  | "duration"
  | "mode"
  /** As it stands in the file. */
  | "any"
  /** A number, `all` is -1. */
  | "count"
  /** A list of texts; one text is a list of one. */
  | "texts"
  /** A command line: a list, or one text in words. */
  | "words"
  | "healthTest"
  /** Pairs, whose values may be null. */
  | "mapping"
  /** Pairs, null is the empty text. */
  | "pairs"
  /** Each value is a list of texts. */
  | "textLists"
  | "hosts"
  | "ssh"
  | "ulimit"
  /** A struct that is written as its path alone where the file must be there. */
  | "envFile"
  | "list"
  | "map"
  | "struct"

/** What the schema says. */
export interface Schema {
  /** Absent: any. */
  types?: readonly TypeName[]
  enum?: readonly string[]
  pattern?: RegExp
  minimum?: number
  maximum?: number
  /** No two items are equal. */
  distinct?: boolean
  /** Of a struct, in the order of writing. */
  keys?: Readonly<Record<string, Key>>
  /** Keys that `keys` has not: of `values` if they match `name`, else refused when `isClosed`. */
  name?: RegExp
  values?: Key
  isClosed?: boolean
  /** `x-*` is taken. */
  isExtensible?: boolean
  required?: readonly string[]
  items?: Key
  /** Exactly one of them fits; what else stands here is of the long one. */
  forms?: readonly Schema[]
}

/** One key of the specification. */
export interface Key extends Schema {
  type: ValueType
  merge?: MergeRule
  same?: SameRule
  long?: LongForm
  path?: PathRule
  /** After interpolation a text is made this; without it, decoding does so. */
  cast?: "boolean" | "integer" | "float"
  /** Zero is not the same as not given. */
  keepsZero?: boolean
  /** JSON has it also when it is empty. */
  isAlwaysInJson?: boolean
  /** Left out of JSON. */
  isNotInJson?: boolean
  /** What JSON calls it, where that is another word. */
  jsonName?: string
  /** Its `x-*` are taken and forgotten. */
  dropsExtensions?: boolean
  /** Taken in a file, and not written. */
  isDropped?: boolean
}

type More = Partial<Key>

export const text = (more: More = {}): Key => ({ types: ["string"], type: "text", ...more })
export const flag = (more: More = {}): Key => ({
  types: ["boolean", "string"],
  type: "boolean",
  cast: "boolean",
  ...more,
})
export const integer = (more: More = {}): Key => ({
  types: ["integer", "string"],
  type: "integer",
  cast: "integer",
  ...more,
})
export const number = (more: More = {}): Key => ({
  types: ["number", "string"],
  type: "integer",
  cast: "integer",
  ...more,
})
export const float = (more: More = {}): Key => ({ types: ["number", "string"], type: "float", cast: "float", ...more })
export const bytes = (more: More = {}): Key => ({ types: ["number", "string"], type: "bytes", ...more })
export const duration = (more: More = {}): Key => ({ types: ["string"], type: "duration", keepsZero: true, ...more })
export const anything = (more: More = {}): Key => ({ type: "any", ...more })

/** A list of texts, and nothing else. */
export const textList = (more: More = {}): Key => ({ types: ["array"], items: text(), type: "texts", ...more })
export const distinctTexts = (more: More = {}): Key => textList({ distinct: true, ...more })

/** A key with a short form, or several. */
export const either = (short: readonly Schema[], long: Key, more: More = {}): Key => ({
  ...long,
  forms: [...short, long],
  ...more,
})

/** One text, or a list of them. */
export const oneOrMore = (more: More = {}): Key => either([text()], distinctTexts(), more)

const pairsMap: Schema = {
  types: ["object"],
  name: /[^\n]/,
  values: { types: ["string", "number", "boolean", "null"], type: "text" },
  isClosed: true,
}

/** `k=v` as list or map; `type` says what null is. */
export const pairs = (type: "mapping" | "pairs", more: More = {}): Key => ({
  forms: [pairsMap, distinctTexts()],
  type,
  merge: "pairs",
  same: "name",
  ...more,
})

/** A map of free keys to texts. */
export const options = (types: readonly TypeName[], more: More = {}): Key => ({
  types: ["object"],
  name: /^[^\n]+$/,
  values: { types, type: "text" },
  type: "pairs",
  ...more,
})

/** A map with known keys. */
export const struct = (keys: Readonly<Record<string, Key>>, more: More = {}): Key => ({
  types: ["object"],
  keys,
  isClosed: true,
  isExtensible: true,
  type: "struct",
  ...more,
})

export const listOf = (items: Key, more: More = {}): Key => ({ types: ["array"], items, type: "list", ...more })

/** Names of services, networks, volumes … */
export const NAME = /^[a-zA-Z0-9._-]+$/
export const mapOf = (values: Key, more: More = {}): Key => ({
  types: ["object"],
  name: NAME,
  values,
  type: "map",
  ...more,
})

/** A command line. */
export const words = (more: More = {}): Key => ({
  forms: [{ types: ["null"] }, text(), textList()],
  type: "words",
  keepsZero: true,
  isAlwaysInJson: true,
  ...more,
})
