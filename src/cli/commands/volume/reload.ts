import { command } from "../../command.ts"

export default command({
  summary: "Look for volumes of plugins, of which there are none",
  args: [],
  flags: {},
  async run() {
    // all volumes are the store's own, and known
  },
})
