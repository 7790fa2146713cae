import { arg } from "../../args.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Mount working containers' root filesystems",
  description: "Without a name, lists those that are mounted. An ordinary user sees the files within: skiff unshare.",
  args: [arg.rest("[CONTAINER...]")],
  flags: {},
  async run({ args: [names], engine, out }) {
    const working = await engine.workingContainers()
    if (names.length === 0)
      for (const { name, mountPoint } of working.list()) if (mountPoint !== undefined) out.line(`${name} ${mountPoint}`)
    for (const name of names) {
      const path = await working.mount(name)
      out.line(names.length === 1 ? path : `${name} ${path}`)
    }
  },
})
