import { apiVersionOf } from "../../../kube/kube.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import { printRows } from "../../kube/print.ts"

const VERBS = "create,delete,deletecollection,get,list,patch,update,watch"

export default kubeCommand({
  summary: "Print the supported API resources on the server",
  args: [],
  flags: {
    ...PLACE_FLAGS,
    apiGroup: flag.string("Limit to resources in the specified API group"),
    categories: flag.list(
      (text) => text.split(","),
      "Limit to resources that belong to the specified categories",
      "strings",
    ),
    namespaced: flag.of((text) => text !== "false", "If false, non-namespaced resources will be returned", "bool"),
    noHeaders: flag.bool("When using the default or custom-column output format, don't print headers"),
    output: flag.choice(["wide", "name"], "Output format. One of: (wide, name)", { short: "o" }),
    sortBy: flag.choice(["name", "kind"], "If non-empty, sort list of resources using specified field"),
    verbs: flag.list((text) => text.split(","), "Limit to resources that support the specified verbs", "strings"),
    cached: flag.bool("Use the cached list of resources if available: none is kept"),
  },
  async run({ flags, engine, out }) {
    const client = await openClient(engine, flags)
    const categories = flags.categories.flat()
    const wanted = (await client.kinds()).filter(
      (kind) =>
        (flags.apiGroup === undefined || kind.group === flags.apiGroup) &&
        (flags.namespaced === undefined || kind.namespaced === flags.namespaced) &&
        categories.every((one) => kind.categories?.includes(one)) &&
        flags.verbs.flat().every((verb) => VERBS.split(",").includes(verb)),
    )
    const kinds =
      flags.sortBy === undefined
        ? wanted
        : wanted.toSorted((a, b) => (sortKey(a, flags.sortBy) < sortKey(b, flags.sortBy) ? -1 : 1))
    if (flags.output === "name") {
      for (const { plural, group } of kinds) out.line(group === "" ? plural : `${plural}.${group}`)
      return
    }
    const isWide = flags.output === "wide"
    const rowOf = (kind: (typeof kinds)[number]): string[] => [
      kind.plural,
      kind.shortNames.join(","),
      apiVersionOf(kind),
      String(kind.namespaced),
      kind.kind,
      ...(isWide ? [VERBS, (kind.categories ?? []).join(",")] : []),
    ]
    const rows = kinds.map(rowOf)
    const head = ["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND", ...(isWide ? ["VERBS", "CATEGORIES"] : [])]
    printRows(out, [head, ...rows], flags.noHeaders)
  },
})

function sortKey(kind: { plural: string; kind: string }, by: "name" | "kind" | undefined): string {
  return by === "kind" ? kind.kind : kind.plural
}
