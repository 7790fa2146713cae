import { join, resolve } from "node:path"
import type { GitopsEvent } from "../../../gitops/gitops.ts"
import { defaultPaths } from "../../../sys/fs/paths.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import { arg } from "../../args.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { flag } from "../../flag.ts"
import { kubeCommand } from "../../kube/kube-command.ts"
import { PLACE_FLAGS } from "../../kube/kube-flags.ts"
import { openClient } from "../../kube/open-client.ts"
import type { Out } from "../../out.ts"

const INTERVAL_MS = 10_000
const SHORTEST_MS = 1000

export default kubeCommand({
  summary: "Keep the objects of a directory of a git repository true, here or on a cluster",
  description:
    "A commit is applied as a whole or not at all, what others change is put back, and what left the directory is deleted.",
  args: [arg.one("REPOSITORY")],
  flags: {
    ...PLACE_FLAGS,
    path: flag.string("Directory in the repository (default: all of it)", "directory"),
    branch: flag.string("Branch (default: the one that the repository's HEAD names)"),
    interval: flag.duration("Time between two looks at the repository and the objects (default 10s)"),
    name: flag.string(
      "Value of the label skiff.dev/gitops by which kept objects are known (default: of repository and path)",
    ),
    verifySignatures: flag.string(
      "Take only commits that a key of this file signed: a GPG keyring, or ssh's allowed signers",
      "file",
    ),
    statusAddress: flag.of(
      readAddress,
      "Serve a status page at this address of the loopback (port 0: any that is free)",
      "address",
    ),
    once: flag.bool("Make one pass, and end: 0 where the newest commit is applied, else 1"),
    format: flag.choice(["text", "json"], "How events are written: text or json", { initial: "text" }),
  },
  async run({ args: [repository], flags, engine, globals, out }) {
    if (flags.interval !== undefined && flags.interval < SHORTEST_MS) throw new UsageError("--interval is at least 1s")
    const { keepRepository } = await import("../../../gitops/gitops.ts")
    using interrupt = new AbortOnInterrupt()
    const client = await openClient(engine, flags)
    await using cleanUp = new AsyncDisposableStack()
    const status = await keepRepository(
      {
        client,
        repository: /^(?:\.{0,2}\/|\.{1,2}$)/.test(repository) ? resolve(repository) : repository,
        branch: flags.branch,
        path: flags.path ?? "",
        namespace: flags.namespace,
        name: flags.name,
        intervalMs: flags.interval ?? INTERVAL_MS,
        signers: flags.verifySignatures,
        directory: join(globals.root ?? defaultPaths().root, "gitops"),
        isOnce: flags.once,
        signal: interrupt.signal,
        report: (event) => tell(out, event, flags.format === "json"),
      },
      async (read) => {
        if (flags.statusAddress === undefined) return
        const { serveStatus } = await import("../../gitops/status-page.ts")
        const server = cleanUp.use(serveStatus(flags.statusAddress, read))
        out.note(server.url)
      },
    )
    if (!flags.once) return 0
    return status.state === "synced" ? 0 : 1
  },
})

function tell(out: Out, event: GitopsEvent, asJson: boolean): void {
  if (asJson) return out.line(JSON.stringify(event))
  const commit = event.commit === undefined ? "" : ` ${event.commit.slice(0, 12)}`
  out.line(`${event.time} ${event.reason}${commit}: ${event.message.replaceAll("\n", "\n  ")}`)
}

/** `127.0.0.1:0`, `[::1]:8090`, `localhost:8090`: where nobody else's machine reaches it. */
function readAddress(text: string): { hostname: string; port: number } {
  const [, bracketed, plain, port = ""] = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/.exec(text) ?? []
  const hostname = bracketed ?? plain ?? ""
  if (!/^(?:127(?:\.\d{1,3}){3}|localhost|::1)$/.test(hostname) || Number(port) > 65_535)
    throw new UsageError(`expected an address of the loopback, such as 127.0.0.1:8090, not "${text}"`)
  return { hostname, port: Number(port) }
}
