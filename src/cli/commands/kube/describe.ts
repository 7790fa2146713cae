import {
  describe,
  isTree,
  readResourceArgs,
  textAt,
  type KubeClient,
  type ResourceKind,
  type Tree,
} from "../../../kube/kube.ts"
import { NotFound } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { ALL_NAMESPACES, FILE_FLAGS, PLACE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"
import { namesFiles, sourceTargets } from "../../kube/sources.ts"

export default kubeCommand({
  summary: "Show details of a specific resource or group of resources",
  args: [arg.rest("[TYPE[.GROUP] [NAME_PREFIX...]] | [TYPE/NAME...]")],
  flags: {
    ...PLACE_FLAGS,
    allNamespaces: ALL_NAMESPACES,
    ...FILE_FLAGS,
    selector: SELECT_FLAGS.selector,
    showEvents: flag.bool("If true, display events related to the described object", { initial: true }),
  },
  async run({ args: [words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const objects: { kind: ResourceKind; object: Tree }[] = []
    const namespace = namespaceOf(client, flags)
    if (namesFiles(flags))
      for await (const { kind, name, namespace: place } of sourceTargets(client, flags))
        objects.push({ kind, object: await client.get(kind, name, place) })
    else {
      if (words.length === 0) throw new UsageError("You must specify the type of resource to describe.")
      for (const { kind, name } of await readResourceArgs(client, words)) {
        const place = kind.namespaced ? namespace : undefined
        const found =
          name === undefined
            ? (await client.list(kind, { namespace: place, labelSelector: flags.selector })).items
            : await named(client, kind, name, place)
        objects.push(...found.map((object) => ({ kind, object })))
      }
    }
    if (objects.length === 0)
      out.note(flags.allNamespaces ? "No resources found" : `No resources found in ${namespace} namespace.`)
    for (const [index, { kind, object }] of objects.entries()) {
      if (index > 0) out.text("\n\n")
      out.text(await describe(client, kind, object, flags.showEvents))
    }
  },
})

/** The one of that name; else all whose names begin so. */
async function named(
  client: KubeClient,
  kind: ResourceKind,
  name: string,
  namespace: string | undefined,
): Promise<Tree[]> {
  const object = await client.find(kind, name, namespace)
  if (object !== undefined) return [object]
  const { items } = await client.list(kind, { namespace })
  const found = items.filter((one) => isTree(one) && textAt(one, "metadata", "name").startsWith(name))
  if (found.length > 0) return found
  const title = `${kind.plural}${kind.group === "" ? "" : `.${kind.group}`}`
  throw new NotFound(`${title} "${name}" not found`, { data: { reason: "NotFound", name } })
}
