import { command } from "../../command.ts"

export default command({
  summary: "Sample running containers no more",
  args: [],
  flags: {},
  async run({ engine, out }) {
    const meter = await engine.meter()
    meter.setSampling(undefined)
    out.line("sampled no more: what containers use is written down when they end")
  },
})
