import { InvalidArgument } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { CHOICE_FLAGS, chooseContainers, CHOOSING } from "../../choose-containers.ts"
import { command } from "../../command.ts"
import { logDetails } from "../../../docker/log-details.ts"
import { flag } from "../../flag.ts"
import { byTime, inTurn, type NamedLine } from "../../output/merge-logs.ts"
import { logLineWriter } from "../../output/log-line.ts"
import { writeOutput } from "../../terminal/standard-output.ts"

export default command({
  summary: "Fetch the logs of one or more containers",
  args: [arg.some("CONTAINER", "containers", { unless: CHOOSING })],
  flags: {
    color: flag.bool("Show each container's lines in a colour of its own"),
    details: flag.bool("Show extra details provided to logs"),
    follow: flag.bool("Follow log output", { short: "f" }),
    latest: CHOICE_FLAGS.latest,
    names: flag.bool("Show the container's name before each line"),
    noEscape: flag.bool(
      "Show control characters and escape sequences as text, for logs of programs that are not trusted",
    ),
    since: flag.time('Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
    tail: flag.of(readTail, 'Number of lines to show from the end of the logs (default "all")', "string", {
      short: "n",
    }),
    timestamps: flag.bool("Show timestamps", { short: "t" }),
    until: flag.time(
      'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
    ),
  },
  async run({ args: [given], flags, engine, out }) {
    const { follow, since, until } = flags
    const tail = flags.tail === undefined || flags.tail < 0 ? undefined : flags.tail
    const containers = await engine.containers()
    const named = chooseContainers(containers, given, { latest: flags.latest }).map((name) => containers.get(name))
    const [first] = named
    if (first !== undefined && named.length === 1 && !flags.names && !flags.noEscape) {
      const head = flags.details ? logDetails(first) : ""
      const options = { follow, tail, since, until, timestamps: flags.timestamps, head: head && `${head} ` }
      for await (const { stream, bytes } of containers.logText(first.id, options))
        await writeOutput(stream === "stdout" ? 1 : 2, bytes)
      return
    }
    const logs = named.map((container) => containers.logs(container.id, { follow, tail, since, until }))
    const write = logLineWriter(named, { ...flags, out })
    const lines: AsyncIterable<NamedLine> = follow ? inTurn(logs) : byTime(logs)
    for await (const line of lines) await write(line)
  },
})

/** Lines; -1: all. */
function readTail(text: string): number {
  if (text === "all" || text === "-1") return -1
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgument('expected a number of lines, or "all"')
  return Number(text)
}
