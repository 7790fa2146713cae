import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Bring the records of plugins' volumes in line with what the plugins have",
  args: [],
  flags: {},
  async run({ engine, out, report }) {
    using interrupt = new AbortOnInterrupt()
    const { added, removed, failures } = await (await engine.volumes()).reload({ signal: interrupt.signal })
    for (const [title, names] of [
      ["Added", added],
      ["Removed", removed],
    ] as const)
      if (names.length > 0) out.line(`${title}:\n${names.join("\n")}`)
    let code = 0
    for (const failure of failures) code = await report(failure)
    return code
  },
})
