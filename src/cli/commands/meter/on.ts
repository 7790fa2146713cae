import { InvalidArgument } from "../../../base/errors.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

const DEFAULT_INTERVAL_MS = 10_000

export default command({
  summary: "Have running containers sampled from now on",
  args: [],
  flags: { interval: flag.duration("Time between two samples (default 10s)") },
  async run({ flags, engine, out }) {
    const { interval = DEFAULT_INTERVAL_MS } = flags
    if (interval < 1000) throw new InvalidArgument("invalid interval: the shortest is 1s")
    const meter = await engine.meter()
    meter.setSampling(interval)
    // whoever sees a container that needs it has the supervisor run
    ;(await engine.containers()).list()
    out.line(`sampled every ${interval / 1000} s while containers run`)
  },
})
