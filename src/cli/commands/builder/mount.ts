import { FailedPrecondition } from "../../../base/errors.ts"
import { callerSeesMounts } from "../../../sys/rootless/unshare.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Mount working containers' root filesystems",
  description:
    "Without a name, lists those that are mounted. An ordinary user mounts and sees them within skiff unshare.",
  args: [arg.rest("[CONTAINER...]")],
  flags: { json: flag.bool("Print JSON") },
  async run({ args: [names], flags, engine, out }) {
    const mounts: { container: string; mountPoint: string }[] = []
    const working = await engine.workingContainers()
    if (names.length === 0)
      for (const { name, mountPoint } of working.list())
        if (mountPoint !== undefined) mounts.push({ container: name, mountPoint })
    if (names.length > 0 && !callerSeesMounts())
      throw new FailedPrecondition(
        "an ordinary user's containers are mounted in namespaces that this shell is not in",
        {
          hint: `go there first: skiff builder unshare sh -c 'ls $(skiff builder mount ${names[0]})'`,
        },
      )
    for (const name of names) mounts.push({ container: name, mountPoint: await working.mount(name) })
    if (flags.json) return out.json(mounts)
    for (const { container, mountPoint } of mounts)
      out.line(names.length === 1 ? mountPoint : `${container} ${mountPoint}`)
  },
})
