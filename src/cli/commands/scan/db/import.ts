import { arg } from "../../../args.ts"
import { command } from "../../../command.ts"
import { writeDatabaseInfo } from "../../../scan/database-info.ts"

export default command({
  summary: "Take a vulnerability database from a file or directory",
  args: [arg.one("PATH")],
  flags: {},
  async run({ args: [path], engine, out }) {
    const data = await (await engine.scans()).data()
    writeDatabaseInfo(out, await data.import(path))
  },
})
