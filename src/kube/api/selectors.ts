import { at, listAt, textsAt, type Tree } from "../field.ts"
import { badRequest } from "./status.ts"

/** Whether labels fit. */
export type LabelTest = (labels: Readonly<Record<string, string>>) => boolean

const REQUIREMENT =
  /^\s*(?:(!)\s*([\w./-]+)|([\w./-]+)\s*(?:(==|=|!=|>|<)\s*([\w.-]*)|\s(in|notin)\s*\(([^()]*)\))?)\s*$/

/** `app=web,tier!=db,env in (a, b),!old,new` (apimachinery, labels.Parse). Undefined for an empty one. Throws BadRequest. */
export function parseLabelSelector(text: string): LabelTest | undefined {
  const words = splitOutside(text)
  if (words.length === 0) return undefined
  const tests = words.map((word) => requirement(word, text))
  return (labels) => tests.every((test) => test(labels))
}

/** At commas that stand in no parentheses. */
function splitOutside(text: string): string[] {
  const words: string[] = []
  let [from, isInside] = [0, false]
  for (let index = 0; index <= text.length; index++) {
    if (text[index] === "(") isInside = true
    else if (text[index] === ")") isInside = false
    if (index < text.length && (isInside || text[index] !== ",")) continue
    // a run of spaces is one: no search goes over it again and again
    const word = text.slice(from, index).replaceAll(/\s+/g, " ").trim()
    if (word !== "") words.push(word)
    from = index + 1
  }
  return words
}

function requirement(word: string, whole: string): LabelTest {
  const found = REQUIREMENT.exec(word)
  if (!found) throw badRequest(`unable to parse requirement: found '${word}' in selector "${whole}"`)
  const [, not, absent = "", key = "", operator, value = "", set, members = ""] = found
  if (not !== undefined) return (labels) => !Object.hasOwn(labels, absent)
  const has = (labels: Readonly<Record<string, string>>): boolean => Object.hasOwn(labels, key)
  if (set !== undefined) {
    const values = new Set(members.split(",").map((one) => one.trim()))
    return set === "in"
      ? (labels) => has(labels) && values.has(labels[key] ?? "")
      : (labels) => !has(labels) || !values.has(labels[key] ?? "")
  }
  switch (operator) {
    case undefined:
      return has
    case "!=":
      return (labels) => !has(labels) || labels[key] !== value
    case ">":
      return (labels) => has(labels) && Number(labels[key]) > Number(value)
    case "<":
      return (labels) => has(labels) && Number(labels[key]) < Number(value)
    default:
      return (labels) => has(labels) && labels[key] === value
  }
}

/** A LabelSelector of an object (`matchLabels`, `matchExpressions`); an empty one fits all, an absent one nothing. */
export function labelSelectorTest(selector: unknown): LabelTest {
  if (selector === undefined || selector === null) return () => false
  const wanted = Object.entries(textsAt(selector, "matchLabels"))
  const tests = listAt(selector, "matchExpressions").map(expressionTest)
  return (labels) =>
    wanted.every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value) &&
    tests.every((test) => test(labels))
}

function expressionTest(expression: unknown): LabelTest {
  const key = String(at(expression, "key"))
  const values = new Set(listAt(expression, "values"))
  switch (at(expression, "operator")) {
    case "In":
      return (labels) => Object.hasOwn(labels, key) && values.has(labels[key])
    case "NotIn":
      return (labels) => !Object.hasOwn(labels, key) || !values.has(labels[key])
    case "Exists":
      return (labels) => Object.hasOwn(labels, key)
    case "DoesNotExist":
      return (labels) => !Object.hasOwn(labels, key)
    default:
      return () => false
  }
}

/** A LabelSelector as kubectl writes it: `app=web,tier in (a,b)`; `<none>` for an empty one. */
export function selectorText(selector: unknown): string {
  const labels = Object.entries(textsAt(selector, "matchLabels"))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`)
  const expressions = listAt(selector, "matchExpressions").map((one) => {
    const values = `(${listAt(one, "values").join(",")})`
    const words: Record<string, string> = {
      In: `${at(one, "key")} in ${values}`,
      NotIn: `${at(one, "key")} notin ${values}`,
      Exists: `${at(one, "key")}`,
      DoesNotExist: `!${at(one, "key")}`,
    }
    return words[String(at(one, "operator"))] ?? ""
  })
  const all = [...labels, ...expressions]
  return all.length === 0 ? "<none>" : all.join(",")
}

/** Fields beside metadata.name and metadata.namespace that a kind can be selected by. */
const SELECTABLE: Readonly<Record<string, readonly string[]>> = {
  pods: [
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.schedulerName",
    "spec.serviceAccountName",
    "spec.hostNetwork",
    "status.phase",
    "status.podIP",
    "status.nominatedNodeName",
  ],
  events: [
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
  ],
  nodes: ["spec.unschedulable"],
  namespaces: ["status.phase"],
  secrets: ["type"],
  services: ["spec.clusterIP", "spec.type"],
  "replicasets.apps": ["status.replicas"],
  "jobs.batch": ["status.successful"],
}

/** `status.phase=Running,metadata.name!=web` (apimachinery, fields.ParseSelector). Throws BadRequest for a field that `resource` has not. */
export function parseFieldSelector(text: string, resource: string): ((object: Tree) => boolean) | undefined {
  const words = text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "")
  if (words.length === 0) return undefined
  const tests = words.map((word) => {
    const [, field = "", operator, value = ""] = /^([\w.]+)\s*(==|=|!=)\s*(.*)$/.exec(word) ?? []
    if (operator === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${word}'`)
    const known = ["metadata.name", "metadata.namespace", ...(SELECTABLE[resource] ?? [])]
    if (!known.includes(field)) throw badRequest(`field label not supported: ${field}`)
    return (object: Tree) => (fieldText(object, field) === value) === (operator !== "!=")
  })
  return (object) => tests.every((test) => test(object))
}

function fieldText(object: Tree, field: string): string {
  const value = field === "source" ? at(object, "source", "component") : at(object, ...field.split("."))
  if (field === "spec.unschedulable" || field === "spec.hostNetwork") return String(value === true)
  return value === undefined || value === null ? "" : String(value)
}
