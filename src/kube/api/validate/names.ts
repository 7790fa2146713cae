/** What a name is not; undefined where it is one. Messages are Kubernetes' (apimachinery, util/validation). */
type NameFault = (name: string) => string | undefined

const LABEL_PATTERN = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const LABEL_1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const QUALIFIED = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const [MAX_LABEL, MAX_SUBDOMAIN] = [63, 253]

/** `web`. */
export const dnsLabelFault: NameFault = (name) => {
  if (name.length > MAX_LABEL) return `must be no more than ${MAX_LABEL} characters`
  return LABEL.test(name)
    ? undefined
    : `a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '${LABEL_PATTERN}')`
}

/** `web.example.org`. */
export const dnsSubdomainFault: NameFault = (name) => {
  if (name.length > MAX_SUBDOMAIN) return `must be no more than ${MAX_SUBDOMAIN} characters`
  return SUBDOMAIN.test(name)
    ? undefined
    : `a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '${LABEL_PATTERN}(\\.${LABEL_PATTERN})*')`
}

/** Of a Service: begins with a letter. */
export const serviceNameFault: NameFault = (name) => {
  if (name.length > MAX_LABEL) return `must be no more than ${MAX_LABEL} characters`
  return LABEL_1035.test(name)
    ? undefined
    : "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
}

/** What can stand in a path, as names of roles do: `system:node`. */
export const pathSegmentFault: NameFault = (name) => {
  if (name === "." || name === "..") return `may not be '${name}'`
  const bad = ["/", "%"].find((one) => name.includes(one))
  return bad === undefined ? undefined : `may not contain '${bad}'`
}

/** `app.kubernetes.io/name`: a key of labels and annotations. */
export const qualifiedNameFault: NameFault = (key) => {
  const parts = key.split("/")
  const words =
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
  if (parts.length > 2)
    return `a qualified name ${words} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`
  const [prefix, name = ""] = parts.length === 2 ? parts : [undefined, parts[0]]
  if (prefix === "") return "prefix part must be non-empty"
  const prefixFault = prefix === undefined ? undefined : dnsSubdomainFault(prefix)
  if (prefixFault !== undefined) return `prefix part ${prefixFault}`
  if (name === "") return "name part must be non-empty"
  if (name.length > MAX_LABEL) return `name part must be no more than ${MAX_LABEL} characters`
  return QUALIFIED.test(name) ? undefined : `name part ${words}`
}

/** What a label may say. */
export const labelValueFault: NameFault = (value) => {
  if (value.length > MAX_LABEL) return `must be no more than ${MAX_LABEL} characters`
  return value === "" || QUALIFIED.test(value)
    ? undefined
    : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
}

/** A key of a ConfigMap or Secret: a file's name. */
export const configKeyFault: NameFault = (key) => {
  if (key.length > MAX_SUBDOMAIN) return `must be no more than ${MAX_SUBDOMAIN} characters`
  if (!/^[-._a-zA-Z0-9]+$/.test(key))
    return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
  if (key === ".") return "must not be '.'"
  return key.startsWith("..") ? "must not start with '..'" : undefined
}

/** Of a port. */
export const portNameFault: NameFault = (name) => {
  if (name.length > 15) return "must be no more than 15 characters"
  if (!/^[-a-z0-9]+$/.test(name)) return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
  if (!/[a-z]/.test(name)) return "must contain at least one letter (a-z)"
  if (name.includes("--")) return "must not contain consecutive hyphens"
  return name.startsWith("-") || name.endsWith("-") ? "must not begin or end with a hyphen" : undefined
}
