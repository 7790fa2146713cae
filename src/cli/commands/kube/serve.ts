import { join, resolve } from "node:path"
import { defaultPaths } from "../../../sys/fs/paths.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { command } from "../../command.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"

const DEFAULT_PORT = 6443

export default command({
  summary: "Serve Kubernetes' API by HTTPS, for kubectl, helm and others",
  description: "Writes a kubeconfig that its owner alone reads. skiff's own commands need no server.",
  args: [],
  flags: {
    listen: flag.of(readAddress, "Where to listen (default 127.0.0.1:6443; port 0: any that is free)", "address"),
    pods: flag.bool("Pods reach it as https://kubernetes.default.svc", { initial: true }),
    writeKubeconfig: flag.string("Write the kubeconfig here (default: kube/kubeconfig in the store)", "file"),
  },
  async run({ flags, engine, globals, out }) {
    const { serveApi } = await import("../../../apiserver/apiserver.ts")
    const directory = join(globals.root ?? defaultPaths().root, "kube")
    const kubeconfig =
      flags.writeKubeconfig === undefined ? join(directory, "kubeconfig") : resolve(flags.writeKubeconfig)
    using interrupt = new AbortOnInterrupt()
    const listening = flags.listen ?? { hostname: "127.0.0.1", port: DEFAULT_PORT }
    await using server = await serveApi(engine, {
      ...listening,
      directory,
      kubeconfig,
      forPods: flags.pods,
      onNote: (text) => out.note(text),
    })
    out.line(server.url)
    out.note(`export KUBECONFIG=${kubeconfig}`)
    await new Promise<void>((end) => interrupt.signal.addEventListener("abort", () => end(), { once: true }))
  },
})

/** `:6443`, `127.0.0.1:6443`, `[::1]:0`, `6443`. */
function readAddress(text: string): { hostname: string; port: number } {
  const [, bracketed, plain, port = ""] =
    /^(?:\[([^\]]*)\]|([^:]*)):?(\d+)?$/.exec(/^\d+$/.test(text) ? `:${text}` : text) ?? []
  const hostname = bracketed ?? plain
  if (hostname === undefined || Number(port) > 65_535) throw new UsageError(`expected ADDRESS:PORT, not "${text}"`)
  return { hostname: hostname === "" ? "127.0.0.1" : hostname, port: port === "" ? DEFAULT_PORT : Number(port) }
}
