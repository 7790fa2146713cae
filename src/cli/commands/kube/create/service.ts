import { arg } from "../../../args.ts"
import { flag } from "../../../flag.ts"
import { createObject, CREATE_FLAGS } from "../../../kube/create-object.ts"
import { kubeCommand } from "../../../kube/kube-command.ts"
import { openClient } from "../../../kube/open-client.ts"

import { UsageError } from "../../../errors/usage-error.ts"

const TYPES: Readonly<Record<string, string>> = {
  clusterip: "ClusterIP",
  nodeport: "NodePort",
  loadbalancer: "LoadBalancer",
  externalname: "ExternalName",
}

export default kubeCommand({
  summary: "Create a service of a type: clusterip, nodeport, loadbalancer or externalname",
  args: [arg.one("TYPE"), arg.one("NAME")],
  flags: {
    ...CREATE_FLAGS,
    tcp: flag.list((text) => text.split(","), "Port pairs can be specified as '<port>:<targetPort>'", "strings"),
    clusterip: flag.string('Assign your own ClusterIP or set to "None" for a headless service'),
    nodePort: flag.int("Port used to expose the service on each node in a cluster"),
    externalName: flag.string("External name of service"),
  },
  async run({ args: [word, name], flags, engine, out }) {
    const type = TYPES[word.toLowerCase()]
    if (type === undefined)
      throw new UsageError(`expected clusterip, nodeport, loadbalancer or externalname, not "${word}"`)
    const ports = flags.tcp.flat().map(portOf)
    function portOf(text: string): object {
      const [port = "", target = port] = text.split(":")
      if (!/^\d{1,5}$/.test(port)) throw new UsageError(`invalid port: ${text}`)
      const targetPort = /^\d+$/.test(target) ? Number(target) : target
      return {
        name: text.replace(":", "-"),
        port: Number(port),
        protocol: "TCP",
        targetPort,
        ...(flags.nodePort !== undefined && { nodePort: flags.nodePort }),
      }
    }
    const labels = { app: name }
    const spec = {
      type,
      ...(ports.length > 0 && { ports }),
      selector: labels,
      ...(flags.clusterip !== undefined && { clusterIP: flags.clusterip }),
      ...(flags.externalName !== undefined && { externalName: flags.externalName }),
    }
    await createObject(
      await openClient(engine, flags),
      out,
      { apiVersion: "v1", kind: "Service", metadata: { name, labels }, spec },
      flags,
    )
  },
})
