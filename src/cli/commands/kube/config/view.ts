import { kubeconfigEdits } from "../../../../kube/kube.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"
import { OUTPUT_FLAGS } from "../../../kube/kube-flags.ts"
import { printObject } from "../../../kube/print.ts"

export default command({
  summary: "Display merged kubeconfig settings or a specified kubeconfig file",
  description: "Keys, certificates and tokens are left out, unless --raw.",
  args: [],
  flags: {
    ...CONFIG_FLAGS,
    ...OUTPUT_FLAGS,
    context: flag.string("The name of the kubeconfig context to use"),
    minify: flag.bool("Remove all information not used by current-context from the output"),
    raw: flag.bool("Display raw byte data and sensitive data"),
    flatten: flag.bool("Flatten the resulting kubeconfig file into self-contained output"),
    merge: flag.bool("Merge the full hierarchy of kubeconfig files: always so", { initial: true }),
  },
  async run({ flags, out }) {
    const { viewConfig } = await kubeconfigEdits()
    const config = viewConfig(flags.kubeconfig, flags)
    await printObject(out, config, [], { ...flags, output: flags.output ?? "yaml" })
  },
})
