import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

/** The proxy of Kubernetes' Ingresses (src/kube/ingress/): the supervisor starts it where there is an Ingress. */
export default command({
  summary: "Answer requests by Kubernetes' Ingresses, as long as there are any",
  args: [],
  flags: { handed: flag.bool("The lock is on descriptor 3") },
  async run({ flags, engine }) {
    await engine.serveIngresses({ wasHanded: flags.handed })
  },
})
