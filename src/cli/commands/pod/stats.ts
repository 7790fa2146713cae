import { POD_STATS_TITLES, podStatsRow } from "../../../docker/pod-stats-row.ts"
import type { Pods } from "../../../pod/pod.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { LIST_FORMAT_FLAGS } from "../../output/format-flags.ts"
import { printList } from "../../output/list.ts"
import { choosePods, POD_CHOICE_FLAGS } from "../../pod/choose-pods.ts"
import { RepaintedOut } from "../../terminal/repainted-out.ts"

const TABLE =
  "table {{.Pod}}\t{{.CID}}\t{{.Name}}\t{{.CPU}}\t{{.MemUsage}}\t{{.Mem}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDS}}"
const { all, latest } = POD_CHOICE_FLAGS

export default command({
  summary: "Display a live stream of resource usage statistics for the containers in pods",
  args: [arg.rest("[POD...]", "pods")],
  flags: {
    all,
    ...LIST_FORMAT_FLAGS,
    latest,
    noReset: flag.bool("Leave earlier rounds on the screen"),
    noStream: flag.bool("Disable streaming stats and only pull the first result"),
  },
  failureCode: 125,
  async run({ args: [names], flags, engine, out }) {
    const chosen = await idsOf(await engine.pods(), names, flags)
    using interrupt = new AbortOnInterrupt()
    const rounds = (await engine.containers()).stats({ signal: interrupt.signal })
    const isLive = out.stdoutIsTerminal && !flags.noStream && !flags.noReset && !flags.json
    const screen = isLive ? new RepaintedOut() : undefined
    for await (const round of rounds) {
      const rows = round
        .filter(({ container }) => chosen.has(container.options.pod?.id ?? ""))
        .map((one) => podStatsRow(one))
      if (flags.json || flags.format === "json") (screen ?? out).json(rows)
      else printList(screen ?? out, rows, flags, { titles: POD_STATS_TITLES, table: TABLE, quiet: "{{.CID}}" })
      screen?.show()
      if (flags.noStream) break
    }
  },
})

/** Without names: of all pods. */
async function idsOf(
  pods: Pods,
  names: readonly string[],
  flags: { all: boolean; latest: boolean },
): Promise<ReadonlySet<string>> {
  const chosen = await choosePods(pods, names, names.length === 0 && !flags.latest ? { all: true } : flags)
  return new Set(chosen.map((name) => pods.idOf(name)))
}
