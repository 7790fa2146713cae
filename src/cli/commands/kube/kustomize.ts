import { kubeYaml } from "../../../kube/kube.ts"
import { arg } from "../../args.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { readSources } from "../../kube/sources.ts"

export default kubeCommand({
  summary: "Build a kustomization target from a directory",
  args: [arg.optional("DIR")],
  flags: {},
  async run({ args: [directory = "."], out }) {
    const manifests = await readSources({ filename: [], kustomize: directory, recursive: false })
    for (const [index, { object }] of manifests.entries()) out.text(`${index > 0 ? "---\n" : ""}${kubeYaml(object)}`)
  },
})
