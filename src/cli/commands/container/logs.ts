import { InvalidArgument } from "../../../base/errors.ts"
import { printable } from "../../../base/printable.ts"
import { parseTimestamp } from "../../../spec/docker/timestamp.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { writeOutput } from "../../terminal/standard-output.ts"

export default command({
  summary: "Fetch the logs of a container",
  args: [arg.one("CONTAINER", "containers")],
  flags: {
    noEscape: flag.bool(
      "Show control characters and escape sequences as text, for logs of programs that are not trusted",
    ),
    follow: flag.bool("Follow log output", { short: "f" }),
    since: flag.of(
      readTime,
      'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
      "string",
    ),
    tail: flag.of(readTail, 'Number of lines to show from the end of the logs (default "all")', "string", {
      short: "n",
    }),
    timestamps: flag.bool("Show timestamps", { short: "t" }),
    until: flag.of(
      readTime,
      'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)',
      "string",
    ),
  },
  async run({ args: [name], flags, engine }) {
    const { follow, timestamps, since, until, noEscape } = flags
    const tail = flags.tail === undefined || flags.tail < 0 ? undefined : flags.tail
    const containers = await engine.containers()
    for await (const { stream, time, bytes } of containers.logs(name, { follow, tail, since, until })) {
      const fd = stream === "stdout" ? 1 : 2
      const line = noEscape ? harmless(bytes) : bytes
      await writeOutput(fd, timestamps ? Buffer.concat([Buffer.from(`${time.toISOString()} `), line]) : line)
    }
  },
})

/** The end of a line stays one, a terminal's as well. */
function harmless(line: Uint8Array): Uint8Array {
  const [, text = "", end = ""] = /^(.*?)(\r?\n?)$/s.exec(Buffer.from(line).toString("utf8")) ?? []
  return Buffer.from(`${printable(text)}${end}`)
}

function readTime(text: string): Date {
  return parseTimestamp(text, new Date())
}

/** Lines; -1: all. */
function readTail(text: string): number {
  if (text === "all" || text === "-1") return -1
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgument('expected a number of lines, or "all"')
  return Number(text)
}
