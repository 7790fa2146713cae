import { writeYaml } from "../../../spec/write-yaml.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { writeNewFile } from "../../write-new-file.ts"

const HEADER = `# Save the output of this file and use kubectl create -f to import
# it into Kubernetes.
#
`

export default command({
  summary: "Generate Kubernetes YAML from containers, pods or volumes",
  args: [arg.some("CONTAINER|POD|VOLUME", "objects")],
  flags: {
    filename: flag.string("Write output to the specified path", "file", { short: "f" }),
    noTrunc: flag.bool("Do not truncate annotations: none ever is"),
    podmanOnly: flag.bool("Add annotations that are of use to podman and skiff alone"),
    replicas: flag.int("Set the replicas number for Deployment kind (default 1)", { short: "r" }),
    service: flag.bool("Generate YAML for a Kubernetes service object", { short: "s" }),
    type: flag.choice(["pod", "deployment", "daemonset", "job"], "Kind of the object that makes the pods", {
      short: "t",
      initial: "pod",
    }),
  },
  failureCode: 125,
  async run({ args: [names], flags, engine, out }) {
    if (flags.replicas !== undefined && flags.type !== "deployment")
      throw new UsageError("--replicas can only be set when --type is set to deployment")
    const kube = await engine.kube()
    const { type: kind = "pod", service, podmanOnly, replicas = 1 } = flags
    const objects = await kube.manifests(names, { kind, service, replicas, podmanOnly })
    const text = HEADER + objects.map(writeYaml).join("---\n")
    if (flags.filename === undefined) out.text(text)
    else writeNewFile(flags.filename, text)
  },
})
