import { isTree, listAt, readKubeconfig, textAt } from "../../../../kube/kube.ts"
import { command } from "../../../command.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"

export default command({
  summary: "Display clusters defined in the kubeconfig",
  args: [],
  flags: CONFIG_FLAGS,
  async run({ flags, out }) {
    const entries = listAt(await readKubeconfig(flags.kubeconfig), "clusters").filter(isTree)
    out.line("NAME")
    for (const entry of entries) out.line(textAt(entry, "name"))
  },
})
