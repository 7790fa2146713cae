import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { exists } from "../../exists.ts"

export default command({
  summary: "Check if a pod exists",
  args: [arg.one("POD", "pods")],
  flags: {},
  failureCode: 125,
  async run({ args: [name], engine }) {
    return exists(async () => (await engine.pods()).idOf(name))
  },
})
