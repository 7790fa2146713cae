import { asProjectContainer } from "../../../compose/compose.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { composeCommand } from "../../compose/compose-command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { RepaintedOut } from "../../terminal/repainted-out.ts"

export default composeCommand({
  summary: "Display a live stream of container(s) resource usage statistics",
  args: [arg.optional("SERVICE", "services")],
  flags: {
    all: flag.bool("Show all containers (default shows just running)", { short: "a" }),
    ...LIST_FORMAT_FLAGS,
    noStream: flag.bool("Disable streaming stats and only pull the first result"),
    noTrunc: flag.bool("Do not truncate output"),
  },
  async run({ args: [service], flags, engine, out, compose, dialect }) {
    const name = await compose.name()
    using interrupt = new AbortOnInterrupt()
    const rounds = (await engine.containers()).stats({
      all: flags.all,
      select: (container) => {
        const one = asProjectContainer(container)
        return one.project === name && (service === undefined || one.service === service)
      },
      signal: interrupt.signal,
    })
    const screen = out.stdoutIsTerminal && !flags.noStream && !flags.json ? new RepaintedOut() : undefined
    const { stats: list } = await dialect.lists()
    for await (const round of rounds) {
      const rows = round.flatMap((one) => list.rows(one, flags))
      printList(screen ?? out, rows, flags, list)
      screen?.show()
      if (flags.noStream) break
    }
  },
})
