import { Unsupported } from "../../../base/errors.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Say what takes the place of Swarm, which is retired",
  description: "Nothing is changed, and the exit code is 1.",
  args: [arg.rest("[ARG...]")],
  flags: {
    advertiseAddr: flag.string("Docker's: not used", "string", { hidden: true }),
    autolock: flag.bool("Docker's: not used", { hidden: true }),
    availability: flag.string("Docker's: not used", "string", { hidden: true }),
    certExpiry: flag.string("Docker's: not used", "string", { hidden: true }),
    dataPathAddr: flag.string("Docker's: not used", "string", { hidden: true }),
    dataPathPort: flag.string("Docker's: not used", "string", { hidden: true }),
    defaultAddrPool: flag.strings("Docker's: not used", "strings", { hidden: true }),
    defaultAddrPoolMaskLength: flag.string("Docker's: not used", "string", { hidden: true }),
    force: flag.bool("Docker's: not used", { short: "f", hidden: true }),
    forceNewCluster: flag.bool("Docker's: not used", { hidden: true }),
    listenAddr: flag.string("Docker's: not used", "string", { hidden: true }),
    quiet: flag.bool("Docker's: not used", { short: "q", hidden: true }),
    rotate: flag.bool("Docker's: not used", { hidden: true }),
    taskHistoryLimit: flag.string("Docker's: not used", "string", { hidden: true }),
    token: flag.string("Docker's: not used", "string", { hidden: true }),
  },
  run: () =>
    Promise.reject(
      new Unsupported(
        "Swarm is retired: this machine is neither a manager nor a worker of one, and nothing was changed",
        {
          hint: "a stack file becomes Kubernetes objects, here or on a cluster, by skiff stack deploy -c FILE --apply STACK; this machine runs them by itself, and joins a Kubernetes cluster by skiff cri serve",
        },
      ),
    ),
})
