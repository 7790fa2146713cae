import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { COPY_FLAGS, copyWords } from "../../build/copy-words.ts"

export default command({
  summary: "Add content to the working container, archives unpacked",
  args: [arg.one("CONTAINER"), arg.some("SOURCE")],
  flags: COPY_FLAGS,
  examples: ["skiff builder add $c rootfs.tar.gz /", "skiff builder add $c https://example.org/tool /usr/bin/"],
  async run({ args: [container, words], flags, engine }) {
    await (await engine.workingContainers()).copy(container, { ...copyWords(words, flags), unpack: true })
  },
})
