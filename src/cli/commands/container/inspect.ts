import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { inspectEach } from "../../inspect-each.ts"
import { inspectContainer, SIZE_FLAG } from "../../output/inspect-container.ts"
import { DOCUMENT_FORMAT_FLAGS } from "../../output/format-flags.ts"

export default command({
  summary: "Display detailed information on one or more containers",
  args: [arg.some("CONTAINER", "containers")],
  flags: { ...DOCUMENT_FORMAT_FLAGS, size: SIZE_FLAG },
  async run({ args: [names], flags, ...context }) {
    const containers = await context.engine.containers()
    return inspectEach(names, flags, context, (name) => inspectContainer(containers, name, flags))
  },
})
