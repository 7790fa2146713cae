import { adviseDensity } from "../../../advise/advise.ts"
import { InvalidArgument } from "../../../base/errors.ts"
import { parseSize } from "../../../base/sizes.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Say how many applications a server holds as virtual machines and as containers",
  args: [],
  flags: {
    ram: flag.size("Memory of the server"),
    cpus: flag.int("Processors of the server"),
    app: flag.of(readApp, "What a virtual machine for one application is given (10g/6)", "RAM/CPUS"),
    container: flag.string("Take the use of this container, not of all", "NAME"),
    since: flag.time("Use from this time on"),
    json: flag.bool("Print JSON"),
  },
  async run({ flags: { ram, cpus, app, container, since, json }, engine, out }) {
    if (ram === undefined || cpus === undefined || app === undefined)
      throw new InvalidArgument("--ram, --cpus and --app are needed")
    if (!(ram > 0) || !(cpus > 0)) throw new InvalidArgument("--ram and --cpus must be more than 0")
    await (await engine.containers()).meterRunning()
    const all = (await engine.meter()).report(since === undefined ? {} : { since })
    const lines =
      container === undefined ? all : all.filter(({ name, key }) => name === container || key.startsWith(container))
    const sum = (of: (line: (typeof lines)[number]) => number) => lines.reduce((total, line) => total + of(line), 0)
    const density = adviseDensity({
      ramBytes: ram,
      cpus,
      app,
      measured: {
        containers: sum((line) => line.containers),
        seconds: sum((line) => line.seconds),
        cpuSeconds: sum((line) => line.cpuSeconds),
        memoryByteSeconds: sum((line) => line.memoryGbSeconds) * 1e9,
        isBound: lines.some((line) => line.memoryIsBound),
      },
    })
    if (json) return out.json(density)
    out.line(`as virtual machines: ${density.virtualMachines}`)
    out.line(`as containers:       ${density.containers}`)
    for (const line of density.arithmetic) out.line(`  ${line}`)
  },
})

function readApp(text: string): { ramBytes: number; cpus: number } {
  const [ram = "", cores = ""] = text.split("/")
  const cpus = Number(cores)
  if (!(cpus > 0)) throw new InvalidArgument("expected memory and processors, such as 10g/6")
  return { ramBytes: parseSize(ram), cpus }
}
