import { refusalOf, literalAddress } from "../../../sys/net/checked-fetch.ts"
import { at, listAt, numberAt, textAt, treeAt, type Tree } from "../../field.ts"
import type { Faults } from "./faults.ts"
import { dnsSubdomainFault } from "./names.ts"

const OPERATIONS = ["*", "CREATE", "UPDATE", "DELETE", "CONNECT"]
const SCOPES = ["*", "Cluster", "Namespaced"]
const MAX_TIMEOUT_SECONDS = 30
const MAX_PORT = 65_535
const MIN_NAME_PARTS = 3

/** admissionregistration.k8s.io/v1 ValidatingWebhookConfiguration and MutatingWebhookConfiguration. */
export function checkWebhooks(object: Tree, faults: Faults): void {
  const names = new Set<string>()
  for (const [index, webhook] of listAt(object, "webhooks").entries()) {
    const path = `webhooks[${index}]`
    const name = textAt(webhook, "name")
    if (names.has(name)) faults.duplicate(`${path}.name`, name)
    names.add(name)
    checkWebhook(webhook, path, faults)
  }
}

function checkWebhook(webhook: unknown, path: string, faults: Faults): void {
  const name = textAt(webhook, "name")
  const fault = dnsSubdomainFault(name)
  if (name === "") faults.required(`${path}.name`)
  else if (fault !== undefined) faults.invalid(`${path}.name`, name, fault)
  else if (name.split(".").length < MIN_NAME_PARTS)
    faults.invalid(`${path}.name`, name, "should be a domain with at least three segments separated by dots")
  for (const [index, rule] of listAt(webhook, "rules").entries()) checkRule(rule, `${path}.rules[${index}]`, faults)
  const effects = textAt(webhook, "sideEffects")
  if (effects !== "" && effects !== "None" && effects !== "NoneOnDryRun")
    faults.unsupported(`${path}.sideEffects`, effects, ["None", "NoneOnDryRun"])
  const seconds = numberAt(webhook, "timeoutSeconds")
  if (seconds !== undefined && (seconds < 1 || seconds > MAX_TIMEOUT_SECONDS))
    faults.invalid(
      `${path}.timeoutSeconds`,
      seconds,
      `the timeout value must be between 1 and ${MAX_TIMEOUT_SECONDS} seconds`,
    )
  const versions = listAt(webhook, "admissionReviewVersions")
  if (versions.length === 0) faults.required(`${path}.admissionReviewVersions`, "must specify one of v1")
  else if (!versions.includes("v1"))
    faults.invalid(
      `${path}.admissionReviewVersions`,
      versions,
      "must include at least one of v1: no other is spoken here",
    )
  if (listAt(webhook, "matchConditions").length > 0)
    faults.forbidden(
      `${path}.matchConditions`,
      "expressions in CEL are not evaluated by this server: say it by rules and selectors",
    )
  checkClient(treeAt(webhook, "clientConfig"), `${path}.clientConfig`, faults)
}

function checkRule(rule: unknown, path: string, faults: Faults): void {
  for (const key of ["operations", "apiGroups", "apiVersions", "resources"])
    if (listAt(rule, key).length === 0) faults.required(`${path}.${key}`)
  for (const [index, one] of listAt(rule, "operations").entries())
    if (!OPERATIONS.includes(String(one))) faults.unsupported(`${path}.operations[${index}]`, one, OPERATIONS)
  for (const key of ["operations", "apiGroups", "apiVersions"])
    if (listAt(rule, key).includes("*") && listAt(rule, key).length > 1)
      faults.invalid(`${path}.${key}`, listAt(rule, key), "if '*' is present, must not specify other values")
  const scope = textAt(rule, "scope")
  if (scope !== "" && !SCOPES.includes(scope)) faults.unsupported(`${path}.scope`, scope, SCOPES)
}

function checkClient(client: Tree, path: string, faults: Faults): void {
  const [url, service] = [client["url"], client["service"]]
  if ((url === undefined) === (service === undefined))
    faults.required(path, "exactly one of url or service is required")
  else if (url !== undefined) checkUrl(String(url), `${path}.url`, faults)
  else checkService(service, `${path}.service`, faults)
  const bundle = textAt(client, "caBundle")
  if (bundle !== "" && !Buffer.from(bundle, "base64").includes("-----BEGIN CERTIFICATE-----"))
    faults.invalid(
      `${path}.caBundle`,
      "<bytes>",
      "unable to load root certificates: unable to parse bytes as PEM block",
    )
}

function checkUrl(text: string, path: string, faults: Faults): void {
  if (!URL.canParse(text)) return faults.invalid(path, text, "url must be a valid URL")
  const { protocol, username, password, hostname, search, hash } = new URL(text)
  if (protocol !== "https:") faults.invalid(path, text, "'https' is the only allowed URL scheme")
  if (hostname === "") faults.invalid(path, text, "host must be specified")
  if (username !== "" || password !== "") faults.invalid(path, text, "user information is not permitted in the URL")
  if (search !== "") faults.invalid(path, text, "query parameters are not permitted in the URL")
  if (hash !== "") faults.invalid(path, text, "fragments are not permitted in the URL")
  const address = literalAddress(hostname)
  const refused = address === undefined ? undefined : refusalOf(address)
  if (refused !== undefined) faults.invalid(path, text, `nobody is asked there: ${refused}`)
}

function checkService(service: unknown, path: string, faults: Faults): void {
  for (const key of ["namespace", "name"]) if (textAt(service, key) === "") faults.required(`${path}.${key}`)
  const port = at(service, "port")
  if (typeof port === "number" && (port < 1 || port > MAX_PORT))
    faults.invalid(`${path}.port`, port, "must be a valid port number: 1-65535, inclusive")
  const where = textAt(service, "path")
  if (where !== "" && (!where.startsWith("/") || /[\s?#]|\/\/|\/\.{1,2}(?:\/|$)/.test(where)))
    faults.invalid(`${path}.path`, where, "must begin with a '/', and is no more than a path")
}
