import { UsageError } from "../../../errors/usage-error.ts"
import { kubeconfigEdits, readKubeconfig, textAt } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { CONFIG_FLAGS, given } from "../../../kube/config-flags.ts"

export default command({
  summary: "Set a context entry in kubeconfig",
  args: [arg.rest("NAME")],
  flags: {
    ...CONFIG_FLAGS,
    current: flag.bool("Modify the current context"),
    cluster: flag.string("The cluster of the context entry in kubeconfig"),
    user: flag.string("The user of the context entry in kubeconfig"),
    namespace: flag.string("The namespace of the context entry in kubeconfig", "string", { short: "n" }),
  },
  async run({ args: [names], flags, out }) {
    const { cluster, user, namespace } = flags
    if (names.length > 1 || (names.length === 1) === flags.current)
      throw new UsageError("you must specify either a context name or --current")
    const name = names[0] ?? textAt(await readKubeconfig(flags.kubeconfig), "current-context")
    if (name === "") throw new UsageError("no current context is set")
    const { setEntry } = await kubeconfigEdits()
    const { wasThere } = setEntry(flags.kubeconfig, "contexts", name, given({ cluster, user, namespace }))
    out.line(`Context "${name}" ${wasThere ? "modified" : "created"}.`)
  },
})
