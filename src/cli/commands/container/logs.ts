import { InvalidArgument } from "../../../base/errors.ts"
import { printable } from "../../../base/printable.ts"
import type { Container } from "../../../container/container.ts"
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
    details: flag.bool("Show extra details provided to logs"),
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
    const head = flags.details ? details(containers.get(name)) : undefined
    const options = { follow, tail, since, until, timestamps, head }
    if (!noEscape) {
      for await (const { stream, bytes } of containers.logText(name, options))
        await writeOutput(stream === "stdout" ? 1 : 2, bytes)
      return
    }
    // a character may be cut at the end of a text, never at that of a line
    for await (const { stream, time, bytes } of containers.logs(name, options)) {
      const before = `${timestamps ? `${time.toISOString()} ` : ""}${head ?? ""}`
      await writeOutput(stream === "stdout" ? 1 : 2, Buffer.concat([Buffer.from(before), harmless(bytes)]))
    }
  },
})

/** Labels and variables that `--log-opt labels=…, env=…` names, as docker shows them. */
function details({ options }: Container): string {
  const { labels = "", env = "", tag } = options.log.options
  const variables = new Map(
    options.env.map((entry) => [entry.split("=")[0] ?? "", entry.slice(entry.indexOf("=") + 1)]),
  )
  const pairs = [
    ...(tag === undefined ? [] : [["tag", tag]]),
    ...namesOf(env).flatMap((name) => (variables.has(name) ? [[name, variables.get(name)]] : [])),
    ...namesOf(labels).flatMap((name) => (Object.hasOwn(options.labels, name) ? [[name, options.labels[name]]] : [])),
  ]
  return pairs.length === 0 ? "" : `${pairs.map(([name, value]) => `${name}=${value}`).join(",")} `
}

function namesOf(list: string): string[] {
  return list.split(",").filter(Boolean)
}

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
