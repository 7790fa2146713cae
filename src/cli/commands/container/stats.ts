import { FailedPrecondition, InvalidArgument } from "../../../base/errors.ts"
import { STATS_JSON_FIELDS, STATS_TITLES, statsRow } from "../../../docker/stats-row.ts"
import type { Containers, ContainerStats } from "../../../container/container.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag, type FlagValues } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { RepaintedOut } from "../../terminal/repainted-out.ts"
import type { Out } from "../../out.ts"

const TABLE = "table {{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"

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
  async run({ args: [names], flags, engine, out }) {
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
    for await (const round of rounds) {
      print(screen ?? out, round, flags)
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

function print(out: Out, round: readonly ContainerStats[], flags: FlagValues<typeof FLAGS>): void {
  const isJson = flags.json || flags.format === "json" || flags.format === "{{json .}}"
  const rows = round.map((one) => statsRow(one, flags))
  // docker's line has its own fields alone
  const shown = isJson ? rows.map(onlyDockers) : rows
  printList(out, shown, flags, { titles: STATS_TITLES, table: TABLE, quiet: "{{.ID}}" })
}

function onlyDockers(row: object): object {
  return Object.fromEntries(Object.entries(row).filter(([name]) => STATS_JSON_FIELDS.includes(name)))
}
