import { listAt, numberAt, podSelector, textAt, textsAt } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { chosenObjects } from "../../kube/changed-objects.ts"
import { createObject, CREATE_FLAGS } from "../../kube/create-object.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { FILE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"

export default kubeCommand({
  summary: "Take a replication controller, service, deployment or pod and expose it as a new Kubernetes service",
  args: [arg.rest("(-f FILENAME | TYPE NAME)")],
  flags: {
    ...CREATE_FLAGS,
    ...FILE_FLAGS,
    port: flag.int("The port that the service should serve on. Copied from the resource being exposed, if unspecified"),
    targetPort: flag.string("Name or number for the port on the container that the service should direct traffic to"),
    name: flag.string("The name for the newly created object"),
    protocol: flag.string("The network protocol for the service to be created. Default is 'TCP'"),
    type: flag.choice(
      ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"],
      "Type for this service: ClusterIP, NodePort, LoadBalancer, or ExternalName. Default is 'ClusterIP'",
    ),
    selector: flag.string("A label selector to use for this service: KEY=VALUE,…"),
    labels: flag.string("Labels to apply to the service created by this call", "string", { short: "l" }),
    clusterIp: flag.string("ClusterIP to be assigned to the service. Set to 'None' to create a headless service"),
    externalIp: flag.string("Additional external IP address (not managed by Kubernetes) to accept for the service"),
    sessionAffinity: flag.choice(
      ["None", "ClientIP"],
      "If non-empty, set the session affinity for the service to this; legal values: 'None', 'ClientIP'",
    ),
  },
  async run({ args: [words], flags, engine, out }) {
    const client = await openClient(engine, flags)
    const { selector: _, ...chosenFlags } = flags
    for (const { kind, object } of await chosenObjects(client, words, chosenFlags)) {
      const selector =
        flags.selector ??
        (kind.plural === "pods" ? labelQuery(textsAt(object, "metadata", "labels")) : podSelector(object))
      if (selector === "" || /[!()]/.test(selector))
        throw new UsageError(
          `couldn't find a selector to expose for ${kind.singular}/${textAt(object, "metadata", "name")}`,
        )
      const containers = [
        ...listAt(object, "spec", "containers"),
        ...listAt(object, "spec", "template", "spec", "containers"),
      ]
      const known = containers
        .flatMap((one) => listAt(one, "ports"))
        .map((port) => ({ port: numberAt(port, "containerPort") ?? 0, protocol: textAt(port, "protocol") || "TCP" }))
      const numbers = flags.port === undefined ? known : [{ port: flags.port, protocol: flags.protocol ?? "TCP" }]
      if (numbers.length === 0) throw new UsageError("couldn't find port via --port flag or introspection")
      const portOf = ({ port, protocol }: { port: number; protocol: string }, index: number): object => ({
        ...(numbers.length > 1 && { name: `port-${index + 1}` }),
        port,
        protocol,
        targetPort:
          flags.targetPort === undefined
            ? port
            : /^\d+$/.test(flags.targetPort)
              ? Number(flags.targetPort)
              : flags.targetPort,
      })
      const ports = numbers.map(portOf)
      const labels = flags.labels === undefined ? textsAt(object, "metadata", "labels") : mapOf(flags.labels)
      const service = {
        apiVersion: "v1",
        kind: "Service",
        metadata: {
          name: flags.name ?? textAt(object, "metadata", "name"),
          ...(Object.keys(labels).length > 0 && { labels }),
        },
        spec: {
          ports,
          selector: mapOf(selector),
          ...(flags.type !== undefined && { type: flags.type }),
          ...(flags.clusterIp !== undefined && { clusterIP: flags.clusterIp }),
          ...(flags.externalIp !== undefined && { externalIPs: [flags.externalIp] }),
          ...(flags.sessionAffinity !== undefined && { sessionAffinity: flags.sessionAffinity }),
        },
      }
      await createObject(
        client,
        out,
        service,
        { ...flags, fieldManager: flags.fieldManager ?? "kubectl-expose" },
        "exposed",
      )
    }
  },
})

function labelQuery(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",")
}

function mapOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(",").map((one) => {
      const equals = one.indexOf("=")
      if (equals < 1) throw new UsageError(`invalid selector: ${one}`)
      return [one.slice(0, equals), one.slice(equals + 1)]
    }),
  )
}
