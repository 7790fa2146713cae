import { ageOf } from "../../api/tables/age.ts"
import { at, listAt, textAt, textsAt, treeAt, type Tree } from "../../field.ts"
import { quantityText, quantityValue } from "../../quantity.ts"
import type { KubeClient } from "../kube-client.ts"
import type { Lines } from "./lines.ts"
import { time } from "./time.ts"

const ROLE = "node-role.kubernetes.io/"
const SYSTEM: Readonly<Record<string, string>> = {
  machineID: "Machine ID",
  systemUUID: "System UUID",
  bootID: "Boot ID",
  kernelVersion: "Kernel Version",
  osImage: "OS Image",
  operatingSystem: "Operating System",
  architecture: "Architecture",
  containerRuntimeVersion: "Container Runtime Version",
  kubeletVersion: "Kubelet Version",
  kubeProxyVersion: "Kube-Proxy Version",
}

/** What `describe node` says: with its pods, and what they have asked for. */
export async function describeNode(lines: Lines, node: Tree, client: KubeClient): Promise<void> {
  const name = textAt(node, "metadata", "name")
  const labels = textsAt(node, "metadata", "labels")
  const roles = Object.keys(labels)
    .filter((key) => key.startsWith(ROLE))
    .map((key) => key.slice(ROLE.length))
  lines.pair("Name", name)
  lines.pair("Roles", roles.join(",") || "<none>")
  lines.map("Labels", labels)
  lines.map("Annotations", textsAt(node, "metadata", "annotations"), ": ")
  lines.pair("CreationTimestamp", time(at(node, "metadata", "creationTimestamp")))
  lines.texts(
    "Taints",
    listAt(node, "spec", "taints").map((one) => {
      const value = textAt(one, "value")
      return `${textAt(one, "key")}${value === "" ? "" : `=${value}`}:${textAt(one, "effect")}`
    }),
  )
  lines.pair("Unschedulable", at(node, "spec", "unschedulable") === true)
  lines.section("Conditions", [
    ["Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message"],
    ["----", "------", "-----------------", "------------------", "------", "-------"],
    ...listAt(node, "status", "conditions").map((one) => [
      textAt(one, "type"),
      textAt(one, "status"),
      time(at(one, "lastHeartbeatTime")),
      time(at(one, "lastTransitionTime")),
      textAt(one, "reason"),
      textAt(one, "message"),
    ]),
  ])
  lines.section(
    "Addresses",
    listAt(node, "status", "addresses").map((one) => [`${textAt(one, "type")}:`, textAt(one, "address")]),
  )
  for (const [key, head] of [
    ["capacity", "Capacity"],
    ["allocatable", "Allocatable"],
  ] as const)
    lines.section(
      head,
      Object.entries(treeAt(node, "status", key)).map(([resource, value]) => [`${resource}:`, String(value)]),
    )
  lines.section(
    "System Info",
    Object.entries(SYSTEM).map(([key, head]) => [`${head}:`, textAt(node, "status", "nodeInfo", key)]),
  )
  await describePods(lines, name, treeAt(node, "status", "allocatable"), client)
}

type Amounts = Readonly<Record<"requests" | "limits", Readonly<Record<string, number>>>>
const RESOURCES = ["cpu", "memory", "ephemeral-storage"]
const CELLS = [
  ["cpu", "requests"],
  ["cpu", "limits"],
  ["memory", "requests"],
  ["memory", "limits"],
] as const

async function describePods(lines: Lines, node: string, allocatable: Tree, client: KubeClient): Promise<void> {
  const { items } = await client.list(await client.kindNamed("pods"), { fieldSelector: `spec.nodeName=${node}` })
  const pods = items.filter((pod) => !["Succeeded", "Failed"].includes(textAt(pod, "status", "phase")))
  const share = (resource: string, amount: number): string => {
    const whole = quantityValue(String(allocatable[resource] ?? "0"))
    const text = resource === "cpu" ? quantityText(amount, "m") : quantityText(amount, "Mi")
    return `${amount === 0 ? "0" : text} (${whole === 0 ? 0 : Math.floor((amount / whole) * 100)}%)`
  }
  const amounts = pods.map(amountsOf)
  const row = (pod: Tree, of: Amounts | undefined): string[] => [
    textAt(pod, "metadata", "namespace"),
    textAt(pod, "metadata", "name"),
    ...CELLS.map(([resource, side]) => share(resource, of?.[side][resource] ?? 0)),
    ageOf(at(pod, "metadata", "creationTimestamp")),
  ]
  lines.pair("Non-terminated Pods", `(${pods.length} in total)`)
  lines.table(
    [
      ["Namespace", "Name", "CPU Requests", "CPU Limits", "Memory Requests", "Memory Limits", "Age"],
      ["---------", "----", "------------", "----------", "---------------", "-------------", "---"],
      ...pods.map((pod, index) => row(pod, amounts[index])),
    ],
    1,
  )
  lines.line("Allocated resources:")
  lines.line("(Total limits may be over 100 percent, i.e., overcommitted.)", 1)
  const sum = (side: "requests" | "limits", resource: string): number =>
    amounts.reduce((total, one) => total + (one[side][resource] ?? 0), 0)
  lines.table(
    [
      ["Resource", "Requests", "Limits"],
      ["--------", "--------", "------"],
      ...RESOURCES.map((resource) => [
        resource,
        share(resource, sum("requests", resource)),
        share(resource, sum("limits", resource)),
      ]),
    ],
    1,
  )
}

function amountsOf(pod: Tree): Amounts {
  const of = (side: "requests" | "limits"): Record<string, number> => {
    const sums: Record<string, number> = {}
    for (const container of listAt(pod, "spec", "containers"))
      for (const resource of RESOURCES) {
        const amount = at(container, "resources", side, resource)
        if (amount !== undefined) sums[resource] = (sums[resource] ?? 0) + quantityValue(String(amount))
      }
    return sums
  }
  return { requests: of("requests"), limits: of("limits") }
}
