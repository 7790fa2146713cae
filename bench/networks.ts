/** How fast containers' networks are: one stream of iperf3 each way, and a call of a published port. */
import { connect } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { removeAll } from "./containers.ts"
import { output, timed, type Engine } from "./engine.ts"
import type { Measure } from "./measure.ts"
import { HOST_ADDRESS, OTHER_ADDRESS, SERVER_PORT, throughput } from "./other-host.ts"
import { median } from "./report.ts"

const IPERF_PORT = 5201
const CALLS = 200
/** From the port of iperf3 to that of a server that does not hang up on who says nothing. */
const CALLED = 100
/** What iperf3 needs of this host: the image has busybox alone. */
const TREE = ["/usr", "/lib", "/lib64"].flatMap((path) => ["-v", `${path}:${path}:ro`])

/** A port of the host for each engine. */
const ports = new Map<Engine, number>()
const portOf = (engine: Engine): number => {
  const port = ports.get(engine) ?? 31_500 + ports.size
  ports.set(engine, port)
  return port
}

const toPort = (engine: Engine, address: string) => ["iperf3", "-c", address, "-p", String(portOf(engine))]
const inside = (engine: Engine, ...words: string[]) =>
  throughput([...engine.argv, "exec", "client", "/usr/bin/iperf3", ...words])
const atLeast = (ratio: number) => ({ atLeast: ratio, peer: "best" as const })

/** `user`: as an ordinary user, whose default networks differ: each is asked for a bridge. */
export function networkMeasures(
  image: string,
  inOther: readonly string[],
  { quick, user = false }: { quick: boolean; user?: boolean },
): Measure[] {
  const network = user ? ["--network", "bridge"] : []
  const before = async (engine: Engine) => {
    const port = portOf(engine)
    const published = ["-p", `${port}:${IPERF_PORT}`, "-p", `${port + CALLED}:80`]
    const script = "iperf3 -s & mkdir -p /www; exec /bin/busybox httpd -f -p 80 -h /www"
    const program = [image, "/bin/busybox", "sh", "-c", script]
    await timed(engine, ["run", "-d", "--name", "server", ...network, ...published, ...TREE, ...program])
    await timed(engine, ["run", "-d", "--name", "client", ...network, ...TREE, image, "sleep", "10000"])
    await sleep(500)
  }
  const row = (name: string, round: (engine: Engine) => number): Measure => ({
    name: `${user ? "rootless " : ""}${name}`,
    unit: "Gbit/s",
    rounds: quick ? 5 : 15,
    target: atLeast(1),
    ...(user ? { by: "user" as const } : {}),
    before,
    round: async (engine) => withEnv(engine, () => round(engine)),
    after: removeAll,
  })
  return [
    row("container to container", (engine) => inside(engine, "-c", addressOf(engine))),
    row("container to this host", (engine) => inside(engine, "-c", HOST_ADDRESS, "-p", String(SERVER_PORT))),
    row("container to another host", (engine) => inside(engine, "-c", OTHER_ADDRESS, "-p", String(SERVER_PORT))),
    row("published port by 127.0.0.1", (engine) => throughput(toPort(engine, "127.0.0.1"))),
    row("published port by another host", (engine) => throughput([...inOther, ...toPort(engine, HOST_ADDRESS)])),
    row("another host by a published port, back", (engine) =>
      throughput([...inOther, ...toPort(engine, HOST_ADDRESS), "--reverse"]),
    ),
    {
      ...row("call of a published port", () => NaN),
      unit: "ms",
      target: { ratio: 1, peer: "podman" },
      round: (engine) => callMs(portOf(engine) + CALLED),
    },
  ]
}

/** What engines run in is a part of this process's environment for a moment: programs that are started inherit it. */
function withEnv<T>({ env }: Engine, body: () => T): T {
  const saved = { ...process.env }
  Object.assign(process.env, env)
  try {
    return body()
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
    Object.assign(process.env, saved)
  }
}

function addressOf(engine: Engine): string {
  const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
  return output(engine, ["inspect", "-f", format, "server"])
}

/** From the call to the connection; the median of many. */
async function callMs(port: number): Promise<number> {
  const all: number[] = []
  for (let call = 0; call < CALLS; call++) {
    const begin = performance.now()
    const socket = connect({ host: "127.0.0.1", port })
    await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject))
    all.push(performance.now() - begin)
    socket.destroy()
  }
  return median(all)
}
