import { command } from "../../../command.ts"
import { flag } from "../../../flag.ts"
import { writeDatabaseInfo } from "../../../scan/database-info.ts"

export default command({
  summary: "Show the vulnerability database: how old it is, and what it knows",
  args: [],
  flags: {
    db: flag.string("Show the one in this directory instead", "dir"),
    format: flag.choice(["table", "json"], "How to print it", { initial: "table" }),
  },
  async run({ flags, engine, out }) {
    const data = await (await engine.scans()).data()
    writeDatabaseInfo(out, await data.info(flags.db), flags.format)
  },
})
