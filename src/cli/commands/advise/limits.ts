import { adviseLimits } from "../../../advise/advise.ts"
import { FailedPrecondition } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Propose limits for a container from what it was seen to use",
  args: [arg.one("CONTAINER", "containers")],
  flags: {
    fix: flag.bool("Set them"),
    json: flag.bool("Print JSON"),
  },
  async run({ args: [name], flags, engine, out }) {
    const containers = await engine.containers()
    const container = containers.get(name)
    await containers.meterRunning()
    const line = (await engine.meter()).report().find(({ key }) => key === container.id)
    if (line === undefined || line.seconds <= 0)
      throw new FailedPrecondition(`nothing is known of what "${container.name}" uses`, {
        hint: "start it, let it work for a while, and ask again",
      })
    let peak: number | undefined
    for await (const stats of containers.stats({ names: [container.id] })) {
      peak = stats[0]?.usage?.memory.peakBytes
      break
    }
    const { memoryBytes: memoryLimitBytes, cpus: cpuLimit } = container.options.resources
    const advice = adviseLimits({
      seconds: line.seconds,
      cpuSeconds: line.cpuSeconds,
      meanMemoryBytes: line.memoryGbSeconds > 0 ? (line.memoryGbSeconds * 1e9) / line.seconds : undefined,
      peakMemoryBytes: peak,
      memoryLimitBytes,
      cpuLimit,
    })
    if (flags.json) return out.json({ ...advice, now: { memoryBytes: memoryLimitBytes, cpus: cpuLimit } })
    for (const text of advice.arithmetic) out.line(text)
    out.line(
      `now: memory ${memoryLimitBytes === undefined ? "unlimited" : `${mib(memoryLimitBytes)} MiB`}, CPU ${cpuLimit ?? "unlimited"}`,
    )
    const words = [
      ...(advice.memoryBytes === undefined ? [] : [`--memory ${mib(advice.memoryBytes)}m`]),
      ...(advice.cpus === undefined ? [] : [`--cpus ${advice.cpus}`]),
    ]
    if (!flags.fix) return out.line(`skiff update ${words.join(" ")} ${container.name}`)
    const resources = {
      ...(advice.memoryBytes === undefined ? {} : { memoryBytes: advice.memoryBytes }),
      ...(advice.cpus === undefined ? {} : { cpus: advice.cpus }),
    }
    await containers.update(container.id, { resources })
    out.line(`set: ${words.join(" ")}`)
  },
})

function mib(bytes: number): number {
  return Math.round(bytes / 1024 ** 2)
}
