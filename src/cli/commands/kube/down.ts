import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"
import { readKubeFiles } from "../../kube/read-files.ts"
import { tellDown } from "../../kube/report.ts"

export default command({
  summary: "Remove pods based on Kubernetes YAML",
  args: [arg.some("KUBEFILE|URL|-")],
  flags: { force: flag.bool("Remove the volumes of claims, too") },
  failureCode: 125,
  async run({ args: [names], flags, engine, out, report }) {
    using interrupt = new AbortOnInterrupt()
    const files = await readKubeFiles(names, interrupt.signal)
    const kube = await engine.kube()
    return tellDown(await kube.down(files, { force: flags.force, signal: interrupt.signal }), out, report)
  },
})
