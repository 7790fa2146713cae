import { arg } from "../../args.ts"
import type { Context } from "../../command.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { convertToKubernetes } from "../../compose/convert-to-kubernetes.ts"
import { KUBE_FLAGS } from "../../compose/kube-flags.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import config, { FLAGS } from "./config.ts"

export default composeCommand({
  summary: "Convert the project to Kubernetes objects; without --to as compose config",
  args: [arg.rest("[SERVICE...]")],
  flags: {
    ...FLAGS,
    ...KUBE_FLAGS,
    output: flag.string("With --to: a directory of one file an object; else a file (default to stdout)", "string", {
      short: "o",
    }),
    to: flag.choice(["kubernetes"], "What the project is converted to"),
  },
  examples: ["skiff compose convert --to kubernetes", "skiff compose convert --to kubernetes --strict -o manifests"],
  async run(context) {
    const { args, flags, compose, engine, out } = context
    // docker's old name of config
    if (flags.to === undefined) {
      if (flags.strict) throw new UsageError("--strict is for --to kubernetes")
      return config.run(context as unknown as Context<never, never>)
    }
    const project = await compose.project(args[0])
    return convertToKubernetes({ engine, out, project }, flags, flags.output)
  },
})
