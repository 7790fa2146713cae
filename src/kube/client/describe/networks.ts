import { selectorText } from "../../api/selectors.ts"
import { at, isTree, listAt, numberAt, textAt, textsAt, type Tree } from "../../field.ts"
import type { Lines } from "./lines.ts"

/** What `describe networkpolicy` says: who may send, and where to. */
export function describePolicy(lines: Lines, policy: Tree): void {
  lines.pair("Name", textAt(policy, "metadata", "name"))
  lines.pair("Namespace", textAt(policy, "metadata", "namespace"))
  const made = textAt(policy, "metadata", "creationTimestamp")
  lines.pair("Created on", `${made.replace("T", " ").replace("Z", "")} +0000 UTC`)
  lines.map("Labels", textsAt(policy, "metadata", "labels"))
  lines.map("Annotations", textsAt(policy, "metadata", "annotations"), ": ")
  lines.line("Spec:")
  const selector = selectorText(at(policy, "spec", "podSelector"))
  lines.pair(
    "PodSelector",
    selector === "<none>" ? "<none> (Allowing the specific traffic to all pods in this namespace)" : selector,
    1,
  )
  const types = listAt(policy, "spec", "policyTypes").map(String)
  for (const [type, rules, side] of [
    ["Ingress", "ingress", "From"],
    ["Egress", "egress", "To"],
  ] as const) {
    if (!types.includes(type)) {
      lines.line(`Not affecting ${rules} traffic`, 1)
      continue
    }
    lines.line(`Allowing ${rules} traffic:`, 1)
    const all = listAt(policy, "spec", rules)
    if (all.length === 0) lines.line(`<none> (Selected pods are isolated for ${rules} connectivity)`, 2)
    for (const [index, rule] of all.entries()) {
      if (index > 0) lines.line("----------", 2)
      describeRule(lines, rule, side)
    }
  }
  lines.line(`Policy Types: ${types.join(", ")}`, 1)
}

function describeRule(lines: Lines, rule: unknown, side: "From" | "To"): void {
  const ports = listAt(rule, "ports")
  if (ports.length === 0) lines.line("To Port: <any> (traffic allowed to all ports)", 2)
  for (const port of ports) {
    const end = numberAt(port, "endPort")
    const number = String(at(port, "port") ?? "<any>")
    lines.line(
      `To Port${end === undefined ? "" : " Range"}: ${number}${end === undefined ? "" : `-${end}`}/${textAt(port, "protocol") || "TCP"}`,
      2,
    )
  }
  const peers = listAt(rule, side.toLowerCase())
  if (peers.length === 0)
    lines.line(`${side}: <any> (traffic not restricted by ${side === "From" ? "source" : "destination"})`, 2)
  for (const peer of peers) {
    lines.line(`${side}:`, 2)
    const block = at(peer, "ipBlock")
    if (isTree(block)) {
      lines.line("IPBlock:", 3)
      lines.line(`CIDR: ${textAt(block, "cidr")}`, 4)
      lines.line(`Except: ${listAt(block, "except").join(", ")}`, 4)
    }
    for (const key of ["namespaceSelector", "podSelector"])
      if (at(peer, key) !== undefined)
        lines.line(`${key.replace(/^./, (letter) => letter.toUpperCase())}: ${selectorText(at(peer, key))}`, 3)
  }
}

/** What `describe endpointslice` says. */
export function describeSlice(lines: Lines, slice: Tree): void {
  lines.name(slice)
  lines.pair("AddressType", textAt(slice, "addressType"))
  const ports = listAt(slice, "ports")
  if (ports.length === 0) lines.pair("Ports", "<unset>")
  else
    lines.section("Ports", [
      ["Name", "Port", "Protocol"],
      ["----", "----", "--------"],
      ...ports.map((port) => [
        textAt(port, "name") || "<unset>",
        String(numberAt(port, "port") ?? "<unset>"),
        textAt(port, "protocol"),
      ]),
    ])
  const endpoints = listAt(slice, "endpoints")
  if (endpoints.length === 0) return lines.pair("Endpoints", "<none>")
  lines.line("Endpoints:")
  for (const one of endpoints) {
    lines.pair("- Addresses", listAt(one, "addresses").join(", "), 1)
    lines.line("Conditions:", 2)
    lines.pair("Ready", at(one, "conditions", "ready") ?? "<unset>", 3)
    lines.pair("Hostname", textAt(one, "hostname") || "<unset>", 2)
    const target = at(one, "targetRef")
    if (target !== undefined) lines.pair("TargetRef", `${textAt(target, "kind")}/${textAt(target, "name")}`, 2)
    lines.pair("NodeName", textAt(one, "nodeName") || "<unset>", 2)
    lines.pair("Zone", textAt(one, "zone") || "<unset>", 2)
  }
}
