import { isTree, listAt, readKubeconfig, textAt } from "../../../../kube/kube.ts"
import { command } from "../../../command.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"

export default command({
  summary: "Display users defined in the kubeconfig",
  args: [],
  flags: CONFIG_FLAGS,
  async run({ flags, out }) {
    const entries = listAt(await readKubeconfig(flags.kubeconfig), "users").filter(isTree)
    out.line("NAME")
    for (const entry of entries) out.line(textAt(entry, "name"))
  },
})
