import { kubeconfigEdits } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"

export default command({
  summary: "Rename a context from the kubeconfig file",
  args: [arg.one("CONTEXT_NAME"), arg.one("NEW_NAME")],
  flags: CONFIG_FLAGS,
  async run({ args: [name, next], flags, out }) {
    const { renameContext } = await kubeconfigEdits()
    renameContext(flags.kubeconfig, name, next)
    out.line(`Context "${name}" renamed to "${next}".`)
  },
})
