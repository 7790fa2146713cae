import { FailedPrecondition } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { alignColumns } from "../../output/columns.ts"
import { choosePod } from "../../pod/choose-pods.ts"

export default command({
  summary: "Display the running processes of the containers in a pod",
  args: [arg.rest("POD [ps OPTIONS]", "pods")],
  flags: { latest: flag.bool("Act on the pod that was created last", { short: "l" }) },
  flagsBeforeWords: true,
  failureCode: 125,
  async run({ args: [words], flags, engine, out }) {
    const pods = await engine.pods()
    const [name, psOptions] = flags.latest ? [undefined, words] : [words[0], words.slice(1)]
    const pod = await pods.get(await choosePod(pods, name, flags.latest))
    const running = pod.containers.filter(({ state }) => state.status === "running")
    if (running.length === 0) throw new FailedPrecondition(`pod "${pod.name}" has no running containers`)
    const containers = await engine.containers()
    const tables = await Promise.all(running.map(({ id }) => containers.top(id, psOptions)))
    const rows = new Set(tables.flatMap(({ processes }) => processes.map((cells) => cells.join("\t"))))
    // containers that share a pid namespace show each other's
    for (const line of alignColumns([tables[0]?.titles.join("\t") ?? "", ...rows])) out.line(line)
  },
})
