import { at, isTree, listAt } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { UsageError } from "../../../errors/usage-error.ts"
import { flag } from "../../../flag.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { ALL_NAMESPACES, PLACE_FLAGS } from "../../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../../kube/open-client.ts"
import { printRows } from "../../../kube/print.ts"

export default kubeCommand({
  summary: "Check whether an action is allowed",
  args: [arg.optional("VERB"), arg.optional("TYPE|TYPE/NAME|NONRESOURCEURL"), arg.optional("NAME")],
  flags: {
    ...PLACE_FLAGS,
    allNamespaces: ALL_NAMESPACES,
    as: flag.string("Username to ask about"),
    asGroup: flag.strings("Group to ask about, this flag can be repeated to specify multiple groups", "strings"),
    list: flag.bool("If true, prints all allowed actions"),
    quiet: flag.bool("If true, suppress output and just return the exit code", { short: "q" }),
    subresource: flag.string("SubResource such as pod/log or deployment/scale"),
  },
  async run({ args: [verb, what, named], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const namespace = namespaceOf(client, flags)
    const root = "/apis/authorization.k8s.io/v1"
    if (flags.list) {
      const answer = await client.call({
        method: "POST",
        path: `${root}/selfsubjectrulesreviews`,
        body: { spec: { namespace } },
      })
      const rows = [...listAt(answer, "status", "resourceRules"), ...listAt(answer, "status", "nonResourceRules")].map(
        (rule) => [
          listAt(rule, "resources")
            .map(
              (one) =>
                `${String(one)}${String(listAt(rule, "apiGroups")[0] ?? "") === "" ? "" : `.${String(listAt(rule, "apiGroups")[0])}`}`,
            )
            .join(","),
          text(rule, "nonResourceURLs"),
          text(rule, "resourceNames"),
          text(rule, "verbs"),
        ],
      )
      return printRows(out, [["Resources", "Non-Resource URLs", "Resource Names", "Verbs"], ...rows])
    }
    if (verb === undefined || what === undefined)
      throw new UsageError("you must specify two arguments: verb resource or verb resource/resourceName")
    const [type = "", name = named] = what.split("/", 2)
    const attributes = what.startsWith("/")
      ? { nonResourceAttributes: { path: what, verb } }
      : {
          resourceAttributes: {
            ...(await resourceOf(type)),
            verb,
            ...(name !== undefined && { name }),
            ...(flags.subresource !== undefined && { subresource: flags.subresource }),
          },
        }
    async function resourceOf(word: string): Promise<object> {
      if (word === "*") return { group: "*", resource: "*", namespace }
      const kind = await client.kindNamed(word)
      return {
        group: kind.group,
        resource: kind.plural,
        ...(kind.namespaced && namespace !== undefined && { namespace }),
      }
    }
    const isOther = flags.as !== undefined || flags.asGroup.length > 0
    const path = `${root}/${isOther ? "" : "self"}subjectaccessreviews`
    const groups = [...flags.asGroup, "system:authenticated"]
    const spec = { ...attributes, ...(isOther && { user: flags.as ?? "", groups }) }
    const answer = await client.call({ method: "POST", path, body: { spec } })
    const isAllowed = isTree(answer) && at(answer, "status", "allowed") === true
    if (!flags.quiet) out.line(isAllowed ? "yes" : "no")
    return isAllowed ? 0 : 1
  },
})

function text(rule: unknown, key: string): string {
  return `[${listAt(rule, key).join(" ")}]`
}
