import { Unsupported } from "../../../../base/errors.ts"
import { composeCommand } from "../../../compose/compose-command.ts"
import { convertToKubernetes } from "../../../compose/convert-to-kubernetes.ts"
import { KUBE_FLAGS } from "../../../compose/kube-flags.ts"
import { flag } from "../../../flag.ts"

/** Docker's own transformations to Kubernetes, which ours stands for. */
const KUBERNETES = /^(?:docker\/compose-bridge-)?kubernetes(?::\S+)?$/

export default composeCommand({
  summary: "Convert compose files to Kubernetes manifests, Helm charts, or another model",
  args: [],
  flags: {
    ...KUBE_FLAGS,
    output: flag.string("The output directory for the Kubernetes resources (default out)", "string", { short: "o" }),
    templates: flag.string("Not supported: there are no templates"),
    transformation: flag.strings("Transformation to apply: only kubernetes, which is built in", "stringArray", {
      short: "t",
    }),
  },
  examples: ["skiff compose bridge convert -o manifests"],
  async run({ flags, compose, engine, out }) {
    const other = flags.transformation.find((name) => !KUBERNETES.test(name))
    if (other !== undefined || flags.templates !== undefined)
      throw new Unsupported(
        `the transformation "${other ?? flags.templates ?? ""}" is an image or templates of Docker's: they are not run`,
        {
          hint: "leave it out: the conversion to Kubernetes is built in",
        },
      )
    return convertToKubernetes({ engine, out, project: await compose.project() }, flags, flags.output ?? "out")
  },
})
