import { arg } from "../../args.ts"
import { COPY_FLAGS, copyWords } from "../../build/copy-words.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Copy content into the working container",
  args: [arg.one("CONTAINER"), arg.some("SOURCE")],
  flags: COPY_FLAGS,
  examples: ["skiff builder copy $c site /var/www/html", "skiff builder copy --from $other $c /usr/bin/tool /usr/bin/"],
  async run({ args: [container, words], flags, engine, out }) {
    const working = await engine.workingContainers()
    const digest = await working.copy(container, { ...copyWords(words, flags), unpack: false })
    if (digest !== undefined && !flags.quiet) out.line(digest)
  },
})
