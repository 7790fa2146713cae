import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"

export default command({
  summary: "List checkpoints for a container",
  args: [arg.one("CONTAINER", "containers")],
  flags: { ...LIST_FORMAT_FLAGS, checkpointDir: flag.string("Use a custom checkpoint storage directory") },
  async run({ args: [container], flags, engine, out }) {
    const { checkpoints } = await engine.containers()
    const names = await checkpoints.list(container, flags.checkpointDir)
    const rows = names.map((Name) => ({ Name }))
    printList(out, rows, flags, { titles: { Name: "CHECKPOINT NAME" }, table: "table {{.Name}}", quiet: "{{.Name}}" })
  },
})
