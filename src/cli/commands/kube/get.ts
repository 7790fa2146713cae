import {
  isTree,
  jsonPathValue,
  readResourceArgs,
  resourceTitle,
  tableLines,
  textAt,
  titleOf,
  type KubeClient,
  type Named,
  type ResourceKind,
  type Selection,
  type Tree,
} from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { ALL_NAMESPACES, FILE_FLAGS, OUTPUT_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"
import { isTableOutput, listOf, printObject, printRows, type OutputRequest } from "../../kube/print.ts"
import { namesFiles, sourceTargets } from "../../kube/sources.ts"
import type { Out } from "../../out.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"

export default kubeCommand({
  summary: "Display one or many resources",
  args: [arg.rest("[TYPE[.VERSION][.GROUP] [NAME...]] | [TYPE/NAME...]")],
  flags: {
    ...PLACE_FLAGS,
    allNamespaces: ALL_NAMESPACES,
    ...SELECT_FLAGS,
    ...FILE_FLAGS,
    ...OUTPUT_FLAGS,
    watch: flag.bool("After listing/getting the requested object, watch for changes", { short: "w" }),
    watchOnly: flag.bool("Watch for changes to the requested object(s), without listing/getting first"),
    ignoreNotFound: flag.bool("If set to true, suppresses NotFound error for specific objects that do not exist"),
    noHeaders: flag.bool("When using the default or custom-column output format, don't print headers"),
    showLabels: flag.bool("When printing, show all labels as the last column"),
    showKind: flag.bool("If present, list the resource type for the requested object(s)"),
    labelColumns: flag.list((text) => text.split(","), "Labels that are going to be presented as columns", "strings", {
      short: "L",
    }),
    sortBy: flag.string("If non-empty, sort list types using this field specification, a JSONPath expression"),
    raw: flag.string("Raw URI to request from the server"),
    chunkSize: flag.int("Return large lists in chunks: what is here comes at once"),
    serverPrint: flag.bool("Have the server return the table: it always does", { initial: true }),
    subresource: flag.string("If specified, gets the subresource of the requested object: status or scale"),
  },
  async run({ args: [words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    if (flags.raw !== undefined) {
      const [path = "", query = ""] = flags.raw.split("?", 2)
      return out.line(JSON.stringify(await client.call({ method: "GET", path, query: new URLSearchParams(query) })))
    }
    const namespace = namespaceOf(client, flags)
    const selection: Selection = { namespace, labelSelector: flags.selector, fieldSelector: flags.fieldSelector }
    const targets = await targetsOf(client, words, flags, namespace)
    const request: GetRequest = { ...flags, selection, labels: flags.labelColumns.flat() }
    if (flags.watch || flags.watchOnly) return watchTargets(client, out, targets, request)
    if (isTableOutput(flags) && flags.subresource === undefined) return printTables(client, out, targets, request)
    const found = await readAll(client, targets, request)
    if (targets.length > 0 && found.isOne && found.items.length === 0) return
    const titles = found.items.map(({ kind, object }) => titleOf(kind, textAt(object, "metadata", "name")))
    const [only] = found.items
    const document = found.isOne && only ? only.object : listOf(found.items.map(({ object }) => object))
    if (found.items.length === 0 && flags.output === "name") return
    await printObject(
      out,
      document,
      titles,
      isTableOutput(flags) ? { ...flags, output: "yaml" } : flags,
      flags.noHeaders,
    )
  },
})

interface GetRequest extends OutputRequest {
  selection: Selection
  labels: readonly string[]
  allNamespaces: boolean
  ignoreNotFound: boolean
  noHeaders: boolean
  showLabels: boolean
  showKind: boolean
  sortBy?: string | undefined
  subresource?: string | undefined
  watchOnly: boolean
}

/** An object or a kind, and where it is. */
interface Target extends Named {
  namespace: string | undefined
}

async function targetsOf(
  client: KubeClient,
  words: readonly string[],
  flags: {
    filename: readonly string[]
    kustomize?: string | undefined
    recursive: boolean
    namespace?: string | undefined
    allNamespaces: boolean
  },
  namespace: string | undefined,
): Promise<Target[]> {
  if (namesFiles(flags)) return Array.fromAsync(sourceTargets(client, flags))
  if (words.length === 0)
    throw new UsageError("You must specify the type of resource to get.", {
      hint: 'use "skiff kube api-resources" for a complete list of supported resources',
    })
  const named = await readResourceArgs(client, words)
  if (flags.allNamespaces && named.some(({ name, kind }) => name !== undefined && kind.namespaced))
    throw new UsageError("a resource cannot be retrieved by name across all namespaces")
  const targets: Target[] = []
  for (const one of named) targets.push({ ...one, namespace: one.kind.namespaced ? namespace : undefined })
  return targets
}

interface Found {
  kind: ResourceKind
  object: Tree
}

async function readAll(
  client: KubeClient,
  targets: readonly Target[],
  request: GetRequest,
): Promise<{ items: Found[]; isOne: boolean }> {
  const items: Found[] = []
  for (const { kind, name, namespace } of targets) {
    if (name === undefined) {
      const { items: listed } = await client.list(kind, { ...request.selection, namespace })
      items.push(...listed.map((object) => ({ kind, object })))
      continue
    }
    const object = request.ignoreNotFound
      ? await client.find(kind, name, namespace)
      : request.subresource === undefined
        ? await client.get(kind, name, namespace)
        : await client.part(kind, name, namespace, request.subresource)
    if (object !== undefined) items.push({ kind, object })
  }
  const [only] = targets
  if (request.sortBy !== undefined) items.sort(byPath(request.sortBy, ({ object }: Found) => object))
  return { items, isOne: targets.length === 1 && only?.name !== undefined }
}

/** Rows of one kind stand together; several kinds have their names before those of their objects. */
async function printTables(
  client: KubeClient,
  out: Out,
  targets: readonly Target[],
  request: GetRequest,
): Promise<void> {
  const groups = groupsOf(targets)
  const isMany = groups.length > 1 || request.showKind
  let printed = 0
  const failures: unknown[] = []
  for (const group of groups) {
    const { kind } = group
    const tables = []
    for (const { name, namespace } of group.targets)
      try {
        tables.push(
          await client.table(kind, { ...request.selection, namespace }, name, {
            include: neededOf(request),
            isNarrow: request.output !== "wide",
          }),
        )
      } catch (error) {
        if (request.ignoreNotFound && name !== undefined && (error as { code?: unknown }).code === "NotFound") continue
        failures.push(error)
      }
    const [first] = tables
    if (first === undefined) continue
    const rows = tables.flatMap((table) => table.rows)
    if (request.sortBy !== undefined) rows.sort(byPath(request.sortBy, ({ object }: { object?: unknown }) => object))
    if (rows.length === 0) continue
    if (printed > 0) out.line("")
    printed++
    const lines = tableLines(
      { ...first, rows },
      {
        isWide: request.output === "wide",
        withNamespace: request.allNamespaces && kind.namespaced,
        showLabels: request.showLabels,
        labelColumns: request.labels,
        ...(isMany && { prefix: resourceTitle(kind) }),
      },
    )
    printRows(out, lines, request.noHeaders)
  }
  if (failures.length > 0) throw failures[0]
  if (printed > 0 || request.ignoreNotFound) return
  const isPlaced = targets.some(({ kind }) => kind.namespaced) && !request.allNamespaces
  out.note(isPlaced ? `No resources found in ${request.selection.namespace} namespace.` : "No resources found")
}

/** How much of each object the rows are made with. */
function neededOf({ sortBy, allNamespaces, showLabels, labels }: GetRequest): "Object" | "Metadata" | "None" {
  if (sortBy !== undefined) return "Object"
  return allNamespaces || showLabels || labels.length > 0 ? "Metadata" : "None"
}

function groupsOf(targets: readonly Target[]): { kind: ResourceKind; targets: Target[] }[] {
  const groups: { kind: ResourceKind; targets: Target[] }[] = []
  for (const target of targets) {
    const known = groups.find(({ kind }) => kind.plural === target.kind.plural && kind.group === target.kind.group)
    if (known) known.targets.push(target)
    else groups.push({ kind: target.kind, targets: [target] })
  }
  return groups
}

/** Numbers by their size, texts by their letters. */
function byPath<T>(path: string, objectOf: (item: T) => unknown): (a: T, b: T) => number {
  const plain = path.replace(/^\{|\}$/g, "")
  const valueOf = (item: T): unknown => jsonPathValue(objectOf(item), plain)
  return (a, b) => {
    const [one, other] = [valueOf(a), valueOf(b)]
    if (typeof one === "number" && typeof other === "number") return one - other
    return String(one ?? "") < String(other ?? "") ? -1 : String(one ?? "") > String(other ?? "") ? 1 : 0
  }
}

async function watchTargets(
  client: KubeClient,
  out: Out,
  targets: readonly Target[],
  request: GetRequest,
): Promise<void> {
  const [target, ...more] = targets
  if (target === undefined || more.length > 0)
    throw new UsageError("you may only specify a single resource type to watch")
  const { kind, name, namespace } = target
  using interrupt = new AbortOnInterrupt()
  const isTable = isTableOutput(request)
  const selection = { ...request.selection, namespace, ...(name !== undefined && { name }) }
  let resourceVersion: string | undefined
  if (request.watchOnly)
    resourceVersion = textAt(
      await client.list(kind, { ...request.selection, namespace }),
      "metadata",
      "resourceVersion",
    )
  const events = await client.watch(
    kind,
    { ...selection, ...(resourceVersion !== undefined && { resourceVersion }), asTable: isTable },
    interrupt.signal,
  )
  const columns: unknown[] = []
  let isFirst = true
  for await (const { type, object } of events) {
    if (type === "BOOKMARK" || !isTree(object)) continue
    if (type === "ERROR") throw new UsageError(textAt(object, "message"))
    if (!isTable) {
      await printObject(
        out,
        object,
        [titleOf(kind, textAt(object, "metadata", "name"))],
        request,
        !isFirst || request.noHeaders,
      )
      if (request.output === "yaml") out.line("---")
      isFirst = false
      continue
    }
    if (Array.isArray(object["columnDefinitions"]))
      columns.splice(0, columns.length, ...(object["columnDefinitions"] as unknown[]))
    const lines = tableLines({ ...object, columnDefinitions: columns } as never, {
      isWide: request.output === "wide",
      withNamespace: request.allNamespaces && kind.namespaced,
      showLabels: request.showLabels,
      labelColumns: request.labels,
    })
    printRows(out, lines, !isFirst || request.noHeaders)
    isFirst = false
  }
}
