import { readFileSync } from "node:fs"
import { InvalidArgument } from "../../base/errors.ts"
import {
  customColumnsText,
  isTree,
  JsonPathError,
  jsonPathText,
  kubeYaml,
  kyaml,
  listAt,
  textAt,
  withAt,
  type Tree,
} from "../../kube/kube.ts"
import type { Out } from "../out.ts"
import { alignCells, displayWidth, textLength, type ColumnStyle } from "../output/columns.ts"
import { UsageError } from "../errors/usage-error.ts"

/** kubectl's tables. */
const KUBE_COLUMNS: ColumnStyle = { least: 6, gap: 3 }

/** What was asked of the output. */
export interface OutputRequest {
  output?: string | undefined
  template?: string | undefined
  showManagedFields?: boolean
}

const PLAIN = /^[\x20-\x7e]*$/

/** Writes rows under each other, the heads first unless they are not wanted. */
export function printRows(out: Out, rows: readonly (readonly string[])[], noHeaders = false): void {
  // of plain text the length is the width: looking at each cell would cost as much as reading the objects
  const isPlain = rows.every((row) => PLAIN.test(row.join("")))
  const lines = alignCells(rows, KUBE_COLUMNS, isPlain ? textLength : displayWidth)
  const shown = noHeaders ? lines.slice(1) : lines
  if (shown.length > 0) out.text(`${shown.map((line) => line.trimEnd()).join("\n")}\n`)
}

/** Whether the output is a table: what a server's columns say. */
export function isTableOutput({ output }: OutputRequest): boolean {
  return output === undefined || output === "" || output === "wide"
}

const FORMATS =
  "custom-columns,custom-columns-file,go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml"

/**
 * Writes an object, or a list of them, in any form but a table. `titles`: what `-o name` says of each. Throws UsageError for a form that is not known.
 */
export async function printObject(
  out: Out,
  object: Tree,
  titles: readonly string[],
  request: OutputRequest,
  noHeaders = false,
): Promise<void> {
  const { form, argument } = formOf(request)
  const shown = request.showManagedFields === true ? object : withoutManaged(object)
  switch (form) {
    case "name":
      for (const title of titles) out.line(title)
      return
    case "json":
      return out.json(shown)
    case "yaml":
      return out.text(kubeYaml(shown))
    case "kyaml":
      return out.text(kyaml(shown))
    case "jsonpath":
    case "jsonpath-file":
    case "jsonpath-as-json":
      return out.text(
        jsonPathOf(form === "jsonpath-file" ? readFileSync(argument, "utf8").replace(/\n$/, "") : argument, object),
      )
    case "custom-columns":
    case "custom-columns-file": {
      const items = Array.isArray(object["items"]) ? listAt(object, "items").filter(isTree) : [object]
      const spec = form === "custom-columns" ? argument : columnsOfFile(readFileSync(argument, "utf8"))
      return printRows(out, customColumnsText(spec, items), noHeaders)
    }
    case "go-template":
    case "go-template-file":
    case "template":
    case "templatefile":
      return goTemplate(out, form.endsWith("file") ? readFileSync(argument, "utf8") : argument, object)
    default:
      throw new UsageError(
        `unable to match a printer suitable for the output format "${form}", allowed formats are: ${FORMATS}`,
      )
  }
}

function formOf({ output = "", template }: OutputRequest): { form: string; argument: string } {
  const equals = output.indexOf("=")
  const form = equals === -1 ? output : output.slice(0, equals)
  const argument = equals === -1 ? (template ?? "") : output.slice(equals + 1)
  const needs = /^(?:go-template|template|jsonpath|custom-columns)/.test(form)
  if (needs && argument === "") {
    if (form.startsWith("custom-columns"))
      throw new UsageError("custom-columns format specified but no custom columns given")
    throw new UsageError(`template format specified but no template given`)
  }
  return { form, argument }
}

function jsonPathOf(template: string, object: Tree): string {
  const text = template.includes("{") ? template : `{${template.startsWith(".") ? template : `.${template}`}}`
  try {
    return jsonPathText(text, object)
  } catch (error) {
    if (!(error instanceof JsonPathError)) throw error
    throw new InvalidArgument(`error parsing jsonpath ${template}, ${error.message}`, { cause: error })
  }
}

/** A line of heads, a line of paths below them. */
function columnsOfFile(text: string): string {
  const [heads = [], paths = []] = text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.trim().split(/\s+/))
  return heads.map((head, index) => `${head}:${paths[index] ?? ""}`).join(",")
}

async function goTemplate(out: Out, text: string, object: Tree): Promise<void> {
  const [{ parseTemplate }, { evaluate }] = await Promise.all([
    import("../template/parser.ts"),
    import("../template/evaluate.ts"),
  ])
  out.text(evaluate(parseTemplate(text), asMaps(object)))
}

/** Go's maps: a key that is not there is `<no value>`, and no error. */
function asMaps(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asMaps)
  if (!isTree(value)) return value
  return new Map(Object.entries(value).map(([key, one]) => [key, asMaps(one)]))
}

function withoutManaged(object: Tree): Tree {
  const items = object["items"]
  if (Array.isArray(items) && textAt(object, "kind").endsWith("List"))
    return { ...object, items: items.map((item) => (isTree(item) ? withoutManaged(item) : item)) }
  return isTree(object["metadata"]) ? withAt(object, ["metadata", "managedFields"], undefined) : object
}

/** The objects as one List, as kubectl shows several. */
export function listOf(items: readonly Tree[]): Tree {
  return { apiVersion: "v1", items, kind: "List", metadata: { resourceVersion: "" } }
}
