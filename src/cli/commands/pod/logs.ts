import { NotFound } from "../../../base/errors.ts"
import type { Container } from "../../../container/container.ts"
import type { Pod } from "../../../pod/pod.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { choosePod } from "../../pod/choose-pods.ts"
import { asTheyCome, inOrder } from "../../pod/merge-logs.ts"
import { writeOutput } from "../../terminal/standard-output.ts"

const SHORT_ID = 12
/** SGR numbers; one container, one colour. */
const COLOURS = [31, 32, 33, 34, 35, 36]

export default command({
  summary: "Fetch the logs of a pod's containers",
  args: [arg.optional("POD", "pods")],
  flags: {
    color: flag.bool("Output the containers with different colors"),
    container: flag.string("Show the log of this container alone, by name or ID", "string", {
      short: "c",
      completes: "containers",
    }),
    follow: flag.bool("Follow log output", { short: "f" }),
    latest: flag.bool("Act on the pod that was created last", { short: "l" }),
    names: flag.bool("Output container names instead of container IDs", { short: "n" }),
    since: flag.time("Show logs since a timestamp, or for a time until now (42m)"),
    tail: flag.int("Number of lines to show from the end of each log (default -1: all)"),
    timestamps: flag.bool("Show timestamps", { short: "t" }),
    until: flag.time("Show logs until a timestamp, or until a time ago (42m)"),
  },
  failureCode: 125,
  async run({ args: [name], flags, engine }) {
    const pods = await engine.pods()
    const pod = await pods.get(await choosePod(pods, name, flags.latest))
    const shown = flags.container === undefined ? pod.containers : [containerOf(pod, flags.container)]
    const { follow, since, until } = flags
    const tail = flags.tail === undefined || flags.tail < 0 ? undefined : flags.tail
    const containers = await engine.containers()
    const logs = new Map(shown.map((one) => [one, containers.logs(one.id, { follow, since, until, tail })]))
    for await (const { source, line } of follow ? asTheyCome(logs) : inOrder(logs)) {
      const time = flags.timestamps ? `${line.time.toISOString()} ` : ""
      const whose = `${flags.names ? source.name : source.id.slice(0, SHORT_ID)} `
      // of one container alone it need not be said
      const prefix = flags.container !== undefined && !flags.names ? "" : coloured(whose, shown.indexOf(source), flags)
      await writeOutput(line.stream === "stdout" ? 1 : 2, Buffer.concat([Buffer.from(prefix + time), line.bytes]))
    }
  },
})

function containerOf({ containers, name: pod }: Pod, wanted: string): Container {
  const found = containers.find(({ name, id }) => name === wanted || id.startsWith(wanted))
  if (found === undefined) throw new NotFound(`container "${wanted}" is not in pod "${pod}"`)
  return found
}

function coloured(text: string, index: number, { color }: { color: boolean }): string {
  return color ? `\x1b[${COLOURS[index % COLOURS.length]}m${text}\x1b[0m` : text
}
