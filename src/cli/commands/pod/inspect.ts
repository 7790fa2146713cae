import { podDocument } from "../../../docker/pod-document.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { inspectEach } from "../../inspect-each.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { choosePods, CHOOSING_PODS, POD_CHOICE_FLAGS } from "../../pod/choose-pods.ts"

const { latest } = POD_CHOICE_FLAGS

export default command({
  summary: "Display detailed information on one or more pods",
  args: [arg.some("POD", "pods", { unless: CHOOSING_PODS })],
  flags: { ...DOCUMENT_FORMAT_FLAGS, latest },
  failureCode: 125,
  async run({ args: [names], flags, ...context }) {
    const pods = await context.engine.pods()
    const chosen = await choosePods(pods, names, flags)
    const isTemplate = flags.format !== undefined && flags.format !== "json"
    return inspectEach(chosen, flags, context, async (name) => {
      const document = podDocument(await pods.get(name))
      // podman's templates know the field by its name in Go
      return isTemplate ? { ID: document.Id, ...document } : document
    })
  },
})
