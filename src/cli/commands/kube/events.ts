import { ageOf, isTree, numberAt, textAt, type Tree } from "../../../kube/kube.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { ALL_NAMESPACES, OUTPUT_FLAGS, PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"
import { listOf, printObject, printRows } from "../../kube/print.ts"

export default kubeCommand({
  summary: "List events",
  args: [],
  flags: {
    ...PLACE_FLAGS,
    allNamespaces: ALL_NAMESPACES,
    ...OUTPUT_FLAGS,
    for: flag.string("Filter events to only those pertaining to the specified resource: TYPE/NAME"),
    types: flag.list((text) => text.split(","), "Output only events of given types", "strings"),
    noHeaders: flag.bool("When using the default output format, don't print headers"),
    watch: flag.bool("After listing the requested events, watch for more events", { short: "w" }),
  },
  async run({ flags, engine, out }) {
    const client = await openClient(engine, flags)
    const kind = await client.kindNamed("events")
    const namespace = namespaceOf(client, flags)
    const types = new Set(flags.types.flat().map((one) => one.toLowerCase()))
    const [type = "", name = ""] = (flags.for ?? "").split("/", 2)
    const about = type === "" ? undefined : (await client.kindNamed(type)).kind
    const isWanted = (event: Tree): boolean =>
      (types.size === 0 || types.has(textAt(event, "type").toLowerCase())) &&
      (about === undefined ||
        (textAt(event, "involvedObject", "kind") === about && textAt(event, "involvedObject", "name") === name))
    const listed = await client.list(kind, { namespace })
    const items = listed.items.filter(isWanted).toSorted((a, b) => (lastSeen(a) < lastSeen(b) ? -1 : 1))
    if (flags.output !== undefined)
      return printObject(
        out,
        listOf(items),
        items.map((one) => `event/${textAt(one, "metadata", "name")}`),
        flags,
      )
    const head = [...(flags.allNamespaces ? ["NAMESPACE"] : []), "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    if (items.length > 0) printRows(out, [head, ...items.map((one) => row(one, flags.allNamespaces))], flags.noHeaders)
    else if (!flags.watch)
      out.note(flags.allNamespaces ? "No events found." : `No events found in ${namespace} namespace.`)
    if (!flags.watch) return
    using interrupt = new AbortOnInterrupt()
    const events = await client.watch(
      kind,
      { namespace, resourceVersion: textAt(listed, "metadata", "resourceVersion") },
      interrupt.signal,
    )
    for await (const { type: change, object } of events)
      if (change !== "DELETED" && isTree(object) && isWanted(object)) printRows(out, [row(object, flags.allNamespaces)])
  },
})

function lastSeen(event: Tree): string {
  return textAt(event, "series", "lastObservedTime") || textAt(event, "lastTimestamp") || textAt(event, "eventTime")
}

function row(event: Tree, withNamespace: boolean): string[] {
  const count = numberAt(event, "series", "count") ?? numberAt(event, "count") ?? 1
  const last = ageOf(lastSeen(event))
  const object = `${textAt(event, "involvedObject", "kind")}/${textAt(event, "involvedObject", "name")}`
  return [
    ...(withNamespace ? [textAt(event, "metadata", "namespace")] : []),
    count > 1 ? `${last} (x${count} over ${ageOf(textAt(event, "firstTimestamp"))})` : last,
    textAt(event, "type"),
    textAt(event, "reason"),
    object,
    textAt(event, "message").trim().split("\n")[0] ?? "",
  ]
}
