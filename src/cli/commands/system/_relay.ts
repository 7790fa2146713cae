import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

/** Connections of an ordinary user's pods to a server on the host's side (src/engine/pod-relay.ts): that server starts it. */
export default command({
  summary: "Relay connections of pods to a socket, as long as standard input is open",
  args: [],
  flags: {
    port: flag.int("Listened on where pods are"),
    socket: flag.string("Who is led to", "path"),
  },
  async run({ flags, engine }) {
    await engine.relayFromPods({ port: flags.port ?? 0, socket: flags.socket ?? "" })
  },
})
