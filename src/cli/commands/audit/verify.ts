import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Check that nobody has changed the audit log",
  args: [],
  flags: { head: flag.string("A hash that was noted down, and must be in the log", "hash") },
  async run({ flags, engine, out }) {
    const { rows, head, faults } = (await engine.audit()).verify(flags.head)
    for (const { seq, kind } of faults) out.warn(`row ${seq}: ${kind}`)
    if (faults.length > 0) return 1
    out.line(`${rows} rows, nothing changed`)
    out.line(`head: ${head}`)
    return 0
  },
})
