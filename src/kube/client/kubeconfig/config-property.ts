/** Properties of a kubeconfig by their names with dots, as `kubectl config set` has them: `clusters.shop.server`. */
import { InvalidArgument, NotFound } from "../../../base/errors.ts"
import { isTree, listAt, setKey, treeAt, withAt, type Tree } from "../../field.ts"

/** What has names in a kubeconfig. */
export type ConfigList = "clusters" | "users" | "contexts"

/** The key of an entry's own settings. */
export const PART: Readonly<Record<ConfigList, string>> = { clusters: "cluster", users: "user", contexts: "context" }

type ValueType = "text" | "bytes" | "bool" | "texts"

/** What can be written (client-go, clientcmd/api/v1). */
const FIELDS: Readonly<Record<ConfigList, Readonly<Record<string, ValueType>>>> = {
  clusters: {
    server: "text",
    "tls-server-name": "text",
    "insecure-skip-tls-verify": "bool",
    "certificate-authority": "text",
    "certificate-authority-data": "bytes",
    "proxy-url": "text",
    "disable-compression": "bool",
  },
  contexts: { cluster: "text", user: "text", namespace: "text" },
  users: {
    "client-certificate": "text",
    "client-certificate-data": "bytes",
    "client-key": "text",
    "client-key-data": "bytes",
    token: "text",
    tokenFile: "text",
    as: "text",
    "as-uid": "text",
    "as-groups": "texts",
    username: "text",
    password: "text",
    "exec.apiVersion": "text",
    "exec.command": "text",
    "exec.args": "texts",
    "exec.installHint": "text",
    "exec.interactiveMode": "text",
    "exec.provideClusterInfo": "bool",
  },
}

/** One property: of the file itself, a whole entry, or a setting of an entry. */
export interface ConfigProperty {
  /** As it was typed. */
  text: string
  /** Undefined: `current-context`. */
  list?: ConfigList
  /** Of the entry; it may have dots. */
  name: string
  /** Empty: the whole entry. */
  field: readonly string[]
  type: ValueType
  /** Bytes are given as they are, not in base64. */
  isRaw: boolean
}

/** Reads a name with dots. Throws InvalidArgument for what a kubeconfig has not. Pure. */
export function readProperty(text: string, { isRaw = false } = {}): ConfigProperty {
  if (text === "current-context") return { text, name: "", field: [], type: "text", isRaw }
  const [head = "", ...rest] = text.split(".")
  const list = (["clusters", "contexts", "users"] as const).find((one) => one === head)
  if (list === undefined)
    throw new InvalidArgument(`unable to parse ${text}: a kubeconfig has no ${head}`, {
      hint: "there are current-context, clusters.NAME, contexts.NAME and users.NAME with their settings",
    })
  for (const [field, type] of Object.entries(FIELDS[list])) {
    const end = `.${field}`
    const name = rest.join(".")
    if (name.endsWith(end) && name.length > end.length)
      return { text, list, name: name.slice(0, -end.length), field: field.split("."), type, isRaw }
  }
  return { text, list, name: rest.join("."), field: [], type: "text", isRaw }
}

/** The document with the property; an entry that is not there is made. Throws InvalidArgument. Pure. */
export function withProperty(document: Tree, property: ConfigProperty, text: string): Tree {
  const { list, name, field } = property
  if (list === undefined) return { ...document, "current-context": text }
  if (name === "" || field.length === 0)
    throw new InvalidArgument(`unable to locate path ${property.text}`, {
      hint: `settings of ${list} are ${Object.keys(FIELDS[list]).join(", ")}`,
    })
  const value = valueOf(property, text)
  const entries = listAt(document, list).filter(isTree)
  const known = entries.find((one) => one["name"] === name)
  const entry = withAt(known ?? { name }, [PART[list], ...field], value)
  const others = known ? entries.map((one) => (one === known ? entry : one)) : [...entries, entry]
  return { ...document, [list]: others }
}

/** The document without the property, or without the whole entry. Throws NotFound for an entry that is not there. Pure. */
export function withoutProperty(document: Tree, { list, name, field }: ConfigProperty): Tree {
  if (list === undefined) return { ...document, "current-context": "" }
  if (name === "") return { ...document, [list]: [] }
  const entries = listAt(document, list).filter(isTree)
  const known = entries.find((one) => one["name"] === name)
  if (known === undefined) throw new NotFound(`current map key \`${name}\` is invalid`)
  if (field.length === 0) return { ...document, [list]: entries.filter((one) => one !== known) }
  // what was made for the setting goes with it
  const changed: Tree = { ...known, [PART[list]]: without(treeAt(known, PART[list]), field) }
  return { ...document, [list]: entries.map((one) => (one === known ? changed : one)) }
}

function without(tree: Tree, [key = "", ...rest]: readonly string[]): Tree {
  const result: Tree = {}
  for (const [name, value] of Object.entries(tree))
    if (name !== key) setKey(result, name, value)
    else if (rest.length > 0 && isTree(value)) setKey(result, name, without(value, rest))
  return result
}

const TRUE: ReadonlySet<string> = new Set(["1", "t", "T", "true", "TRUE", "True"])
const FALSE: ReadonlySet<string> = new Set(["0", "f", "F", "false", "FALSE", "False"])

function valueOf({ type, isRaw, text: path }: ConfigProperty, text: string): unknown {
  switch (type) {
    case "bool":
      if (TRUE.has(text)) return true
      if (FALSE.has(text)) return false
      throw new InvalidArgument(`${path} is true or false, not "${text}"`)
    case "bytes":
      if (isRaw) return Buffer.from(text).toString("base64")
      if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text))
        throw new InvalidArgument(`error decoding base64 of ${path}`, {
          hint: "bytes may also be given as they are, when that is said",
        })
      return text
    case "texts":
      // `a,b` is the list, `a+` adds and `a-` takes away, of which only the list is here
      return text === "" ? [] : text.split(",")
    default:
      return text
  }
}
