import { isSkiffError } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"

export default command({
  summary: "Check if a secret exists",
  args: [arg.one("SECRET", "secrets")],
  flags: {},
  // 1: there is none; what fails otherwise is no answer
  failureCode: 125,
  async run({ args: [name], engine }) {
    try {
      ;(await engine.secrets()).get(name)
      return 0
    } catch (error) {
      if (isSkiffError(error, "NotFound")) return 1
      throw error
    }
  },
})
