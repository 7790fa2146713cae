/** Services of Kubernetes: what one more of many endpoints costs. */
import { mkdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import { Database } from "../src/base/database.ts"
import { clusterNetwork } from "../src/kube/services/cluster-network.ts"
import { openNetworks } from "../src/network/open.ts"
import { networkSchema } from "../src/network/schema.ts"
import type { VirtualPort, VirtualPorts } from "../src/network/network.ts"
import type { Engine } from "./engine.ts"
import type { Measure } from "./measure.ts"

const MANY = 1000

const port = (endpoints: number): VirtualPort => ({
  key: "default/many:http",
  protocol: "tcp",
  port: 80,
  addresses: ["10.96.1.1"],
  balanced: [],
  endpoints: Array.from({ length: endpoints }, (_, index) => ({
    address: `10.244.${100 + (index >> 8)}.${index & 255}`,
    port: 8080,
  })),
})

/** The table of a store of its own, below `directory`. Of skiff alone: another's Services are kube-proxy's. */
export function serviceMeasures(directory: string, quick: boolean): Measure[] {
  const runRoot = join(directory, "services")
  let ports: VirtualPorts | undefined
  let close: (() => Promise<void>) | undefined
  let count = MANY
  return [
    {
      name: `one more of a Service's ${MANY.toLocaleString("en")} endpoints`,
      unit: "ms",
      rounds: quick ? 21 : 101,
      target: { atMost: 5 },
      async before(engine) {
        if (!isOurs(engine)) return
        mkdirSync(runRoot, { recursive: true })
        const db = new Database(join(runRoot, "skiff.db"))
        db.migrate([networkSchema])
        const networks = openNetworks({ db, runRoot })
        ports = await networks.virtualPorts(await clusterNetwork(networks))
        await ports.replace([port(count)])
        close = async () => {
          await networks.removeAll()
          db[Symbol.dispose]()
          rmSync(runRoot, { recursive: true })
        }
      },
      async round(engine) {
        if (!isOurs(engine) || ports === undefined) return NaN
        const wanted = port(++count)
        const began = performance.now()
        await ports.change([wanted])
        return performance.now() - began
      },
      async after(engine) {
        if (!isOurs(engine)) return
        await close?.()
        close = undefined
      },
    },
  ]
}

const isOurs = ({ name }: Engine): boolean => name === "skiff"
