import { kubeconfigEdits } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"

export default command({
  summary: "Set the current-context in a kubeconfig file",
  args: [arg.one("CONTEXT_NAME")],
  flags: CONFIG_FLAGS,
  async run({ args: [name], flags, out }) {
    const { useContext } = await kubeconfigEdits()
    useContext(flags.kubeconfig, name)
    out.line(`Switched to context "${name}".`)
  },
})
