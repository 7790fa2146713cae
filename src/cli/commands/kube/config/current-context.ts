import { InvalidArgument } from "../../../../base/errors.ts"
import { readKubeconfig, textAt } from "../../../../kube/kube.ts"
import { command } from "../../../command.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"

export default command({
  summary: "Display the current-context",
  args: [],
  flags: CONFIG_FLAGS,
  async run({ flags, out }) {
    const current = textAt(await readKubeconfig(flags.kubeconfig), "current-context")
    if (current === "") throw new InvalidArgument("current-context is not set")
    out.line(current)
  },
})
