import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { exists } from "../../exists.ts"

export default command({
  summary: "Check if a secret exists",
  args: [arg.one("SECRET", "secrets")],
  flags: {},
  // 1: there is none; what fails otherwise is no answer
  failureCode: 125,
  async run({ args: [name], engine }) {
    return exists(async () => (await engine.secrets()).get(name))
  },
})
