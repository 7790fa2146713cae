import { NotFound } from "../../../../base/errors.ts"
import { isTree, listAt, readKubeconfig, textAt } from "../../../../kube/kube.ts"
import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { printRows } from "../../../kube/print.ts"
import { CONFIG_FLAGS } from "../../../kube/config-flags.ts"

export default command({
  summary: "Describe one or many contexts",
  args: [arg.rest("CONTEXT_NAME")],
  flags: {
    ...CONFIG_FLAGS,
    output: flag.choice(["name"], "Output format. One of: (name)", { short: "o" }),
    noHeaders: flag.bool("When using the default output format, don't print headers"),
  },
  async run({ args: [names], flags, out }) {
    const config = await readKubeconfig(flags.kubeconfig)
    const all = listAt(config, "contexts").filter(isTree)
    const missing = names.find((name) => all.every((one) => one["name"] !== name))
    if (missing !== undefined) throw new NotFound(`context ${missing} not found`)
    const chosen = names.length === 0 ? all : all.filter((one) => names.includes(textAt(one, "name")))
    if (flags.output === "name") {
      for (const one of chosen) out.line(textAt(one, "name"))
      return
    }
    const current = textAt(config, "current-context")
    const rows = chosen
      .map((one) => textAt(one, "name"))
      .toSorted()
      .map((name) => {
        const own = chosen.find((one) => one["name"] === name)
        const part = (key: string): string => textAt(own, "context", key)
        return [name === current ? "*" : "", name, part("cluster"), part("user"), part("namespace")]
      })
    const heads = ["CURRENT", "NAME", "CLUSTER", "AUTHINFO", "NAMESPACE"]
    printRows(out, [heads, ...rows], flags.noHeaders)
  },
})
