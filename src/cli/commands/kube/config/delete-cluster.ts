import { kubeconfigEdits } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"

export default command({
  summary: "Delete the specified cluster from the kubeconfig",
  args: [arg.one("NAME")],
  flags: CONFIG_FLAGS,
  async run({ args: [name], flags, out }) {
    const { deleteEntry } = await kubeconfigEdits()
    const file = deleteEntry(flags.kubeconfig, "clusters", name)
    out.line(`deleted cluster ${name} from ${file}`)
  },
})
