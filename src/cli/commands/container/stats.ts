import { FailedPrecondition, InvalidArgument } from "../../../base/errors.ts"
import type { Containers } from "../../../container/container.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { RepaintedOut } from "../../terminal/repainted-out.ts"

const FLAGS = {
  all: flag.bool("Show all containers (default shows just running)", { short: "a" }),
  ...LIST_FORMAT_FLAGS,
  interval: flag.int("Seconds between two rounds (default 1)", { short: "i" }),
  latest: flag.bool("Show the latest created container", { short: "l" }),
  noReset: flag.bool("Leave earlier rounds on the screen"),
  noStream: flag.bool("Disable streaming stats and only pull the first result"),
  noTrunc: flag.bool("Do not truncate output"),
}

export default command({
  summary: "Display a live stream of container(s) resource usage statistics",
  args: [arg.rest("[CONTAINER...]", "running")],
  flags: FLAGS,
  async run({ args: [names], flags, engine, out, dialect }) {
    if (flags.interval !== undefined && flags.interval < 1)
      throw new InvalidArgument("invalid interval", { hint: "expected seconds, from 1", field: "interval" })
    const containers = await engine.containers()
    using interrupt = new AbortOnInterrupt()
    const rounds = containers.stats({
      names: flags.latest ? [latestOf(containers, names)] : names,
      all: flags.all,
      intervalMs: (flags.interval ?? 1) * 1000,
      signal: interrupt.signal,
    })
    const isLive = out.stdoutIsTerminal && !flags.noStream && !flags.noReset && !flags.json
    const screen = isLive ? new RepaintedOut() : undefined
    const { stats: list } = await dialect.lists()
    for await (const round of rounds) {
      const rows = round.flatMap((one) => list.rows(one, flags))
      printList(screen ?? out, rows, flags, list)
      screen?.show()
      if (flags.noStream) break
    }
  },
})

function latestOf(containers: Containers, names: readonly string[]): string {
  if (names.length > 0) throw new InvalidArgument("the latest container and names cannot be given together")
  const [latest] = containers.list({ all: true })
  if (latest === undefined) throw new FailedPrecondition("there is no container", { hint: { do: "listContainers" } })
  return latest.id
}
