import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { inspectEach } from "../../inspect-each.ts"
import { inspectContainer, SIZE_FLAG } from "../../output/inspect-container.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display detailed information on one or more containers",
  args: [arg.some("CONTAINER", "containers", { unless: CHOOSING })],
  flags: { ...DOCUMENT_FORMAT_FLAGS, latest: CHOICE_FLAGS.latest, size: SIZE_FLAG },
  async run({ args: [given], flags, ...context }) {
    const containers = await context.engine.containers()
    const names = chooseContainers(containers, given, flags)
    const documents = await context.dialect.documents()
    return inspectEach(names, flags, context, (name) => inspectContainer(documents, containers, name, flags))
  },
})
