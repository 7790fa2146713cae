import { arg } from "../../args.ts"
import { COPY_FLAGS, copyWords } from "../../build/copy-words.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Add content to the working container, unpacking archives",
  args: [arg.one("CONTAINER"), arg.some("SOURCE")],
  flags: COPY_FLAGS,
  examples: ["skiff builder add $c rootfs.tar.gz /", "skiff builder add $c https://example.org/tool /usr/bin/"],
  async run({ args: [container, words], flags, engine, out }) {
    const working = await engine.workingContainers()
    const digest = await working.copy(container, { ...copyWords(words, flags), unpack: true })
    if (digest !== undefined && !flags.quiet) out.line(digest)
  },
})
