import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { COPY_FLAGS, copyWords } from "../../build/copy-words.ts"

export default command({
  summary: "Copy content into the working container",
  args: [arg.one("CONTAINER"), arg.some("SOURCE")],
  flags: COPY_FLAGS,
  examples: ["skiff builder copy $c site /var/www/html", "skiff builder copy --from $other $c /usr/bin/tool /usr/bin/"],
  async run({ args: [container, words], flags, engine }) {
    await (await engine.workingContainers()).copy(container, { ...copyWords(words, flags), unpack: false })
  },
})
