import { kubeconfigEdits } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"

export default command({
  summary: "Unset an individual value in a kubeconfig file",
  args: [arg.one("PROPERTY_NAME")],
  flags: CONFIG_FLAGS,
  async run({ args: [name], flags, out }) {
    const { readProperty, unsetConfigProperty } = await kubeconfigEdits()
    unsetConfigProperty(flags.kubeconfig, readProperty(name))
    out.line(`Property "${name}" unset.`)
  },
})
