import { isTree, listAt, quantityValue, textAt, treeAt, type KubeClient, type Tree } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { ALL_NAMESPACES, PLACE_FLAGS, SELECT_FLAGS } from "../../kube/kube-flags.ts"
import { namespaceOf, openClient } from "../../kube/open-client.ts"
import { printRows } from "../../kube/print.ts"

const MIB = 1024 ** 2

export default kubeCommand({
  summary: "Display resource (CPU/memory) usage of pods or nodes",
  args: [arg.one("pod|node"), arg.optional("NAME")],
  flags: {
    ...PLACE_FLAGS,
    allNamespaces: ALL_NAMESPACES,
    selector: SELECT_FLAGS.selector,
    containers: flag.bool("If present, print usage of containers within a pod"),
    noHeaders: flag.bool("If present, print output without headers"),
    sortBy: flag.choice(["cpu", "memory"], "If non-empty, sort using specified field: cpu or memory"),
    sum: flag.bool("Print the sum of the resource usage"),
  },
  async run({ args: [word, name], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const kind = await client.kindNamed(word)
    if (kind.plural !== "pods" && kind.plural !== "nodes") throw new UsageError(`expected pod or node, not "${word}"`)
    const namespace = kind.namespaced ? namespaceOf(client, flags) : undefined
    const place = namespace === undefined ? "" : `/namespaces/${namespace}`
    const path = `/apis/metrics.k8s.io/v1beta1${place}/${kind.plural}${name === undefined ? "" : `/${name}`}`
    const query = new URLSearchParams(flags.selector === undefined ? {} : { labelSelector: flags.selector })
    const answer = await client.call({ method: "GET", path, query })
    const items = name === undefined ? listAt(answer, "items").filter(isTree) : [answer]
    if (items.length === 0)
      return out.note(flags.allNamespaces ? "No resources found" : `No resources found in ${namespace} namespace.`)
    const withNamespace = flags.allNamespaces && kind.namespaced
    const rows = items.flatMap((item) => usesOf(item, flags.containers))
    const { sortBy } = flags
    const sorted = sortBy === undefined ? rows : rows.toSorted((a, b) => b[sortBy] - a[sortBy])
    const wholes = kind.plural === "nodes" ? await allocatableOf(client) : undefined
    const cells = ({ object, container, cpu, memory }: Row): string[] => [
      ...(withNamespace ? [textAt(object, "metadata", "namespace")] : []),
      textAt(object, "metadata", "name"),
      ...(container === undefined ? [] : [container]),
      `${Math.round(cpu * 1000)}m`,
      ...shareOf(wholes, object, "cpu", cpu),
      `${Math.round(memory / MIB)}Mi`,
      ...shareOf(wholes, object, "memory", memory),
    ]
    const head = [
      ...(withNamespace ? ["NAMESPACE"] : []),
      ...(flags.containers ? ["POD", "NAME"] : ["NAME"]),
      "CPU(cores)",
      ...(wholes ? ["CPU(%)"] : []),
      "MEMORY(bytes)",
      ...(wholes ? ["MEMORY(%)"] : []),
    ]
    const total = flags.sum
      ? [
          [
            "",
            ...(withNamespace ? [""] : []),
            ...(flags.containers ? [""] : []),
            `${Math.round(sumOf(rows, "cpu") * 1000)}m`,
            `${Math.round(sumOf(rows, "memory") / MIB)}Mi`,
          ],
        ]
      : []
    printRows(out, [head, ...sorted.map(cells), ...total], flags.noHeaders)
  },
})

type Wholes = ReadonlyMap<string, Tree>

/** What pods may have, by node. */
async function allocatableOf(client: KubeClient): Promise<Wholes> {
  const { items } = await client.list(await client.kindNamed("nodes"))
  return new Map(items.map((node) => [textAt(node, "metadata", "name"), treeAt(node, "status", "allocatable")]))
}

function shareOf(wholes: Wholes | undefined, object: Tree, key: "cpu" | "memory", used: number): string[] {
  if (wholes === undefined) return []
  const whole = quantityValue(String(wholes.get(textAt(object, "metadata", "name"))?.[key] ?? ""))
  return [whole > 0 ? `${Math.trunc((used / whole) * 100)}%` : "<unknown>"]
}

interface Row {
  object: Tree
  container?: string
  /** Processors. */
  cpu: number
  /** Bytes. */
  memory: number
}

function usesOf(object: Tree, byContainer: boolean): Row[] {
  const containers = listAt(object, "containers")
  const rows = (containers.length > 0 ? containers : [object]).map((one): Row => ({
    object,
    container: textAt(one, "name"),
    cpu: quantityValue(textAt(one, "usage", "cpu")),
    memory: quantityValue(textAt(one, "usage", "memory")),
  }))
  return byContainer ? rows : [{ object, cpu: sumOf(rows, "cpu"), memory: sumOf(rows, "memory") }]
}

function sumOf(rows: readonly Row[], key: "cpu" | "memory"): number {
  return rows.reduce((sum, row) => sum + row[key], 0)
}
