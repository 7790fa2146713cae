import { mkdirSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { command } from "../../command.ts"
import { fileFailure } from "../../file-failure.ts"
import { flag } from "../../flag.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"

const DEFAULT_PORT = 5000

export default command({
  summary: "Serve a registry: the local images, or a directory of its own",
  description:
    "Without --storage it serves the local images, which can be pulled and not changed. With it, it is a registry that is pushed to.",
  args: [],
  flags: {
    listen: flag.of(readAddress, "Where to listen (default 127.0.0.1:5000; port 0: any that is free)", "address"),
    storage: flag.string("Keep what is pushed in this directory", "dir"),
    tlsCert: flag.string("Speak TLS with this certificate (PEM, with those that it stands on)", "file"),
    tlsKey: flag.string("The key of the certificate (PEM)", "file"),
  },
  async run({ flags, engine, out }) {
    const tls = tlsOf(flags)
    const listening = flags.listen ?? { hostname: "127.0.0.1", port: DEFAULT_PORT }
    const registries = await engine.registries()
    await using owned = flags.storage === undefined ? undefined : await engine.registryStore(made(flags.storage))
    const store = owned ?? (await (await engine.images()).served())
    using interrupt = new AbortOnInterrupt()
    await using server = await registries.serve(store, { ...listening, ...(tls !== undefined && { tls }) })
    out.line(server.url)
    await new Promise<void>((end) => interrupt.signal.addEventListener("abort", () => end(), { once: true }))
  },
})

/** `:5000`, `127.0.0.1:5000`, `[::1]:5000`, `5000`. */
function readAddress(text: string): { hostname: string; port: number } {
  const [, bracketed, plain, port = ""] =
    /^(?:\[([^\]]*)\]|([^:]*)):?(\d+)?$/.exec(/^\d+$/.test(text) ? `:${text}` : text) ?? []
  const hostname = bracketed ?? plain
  if (hostname === undefined || Number(port) > 65_535) throw new UsageError(`expected ADDRESS:PORT, not "${text}"`)
  return { hostname: hostname === "" ? "0.0.0.0" : hostname, port: port === "" ? DEFAULT_PORT : Number(port) }
}

function made(directory: string): string {
  const path = resolve(directory)
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw new UsageError(`cannot make the directory "${path}": ${fileFailure(cause)}`, { cause })
  }
  return path
}

function tlsOf({ tlsCert, tlsKey }: { tlsCert: string | undefined; tlsKey: string | undefined }) {
  if (tlsCert === undefined && tlsKey === undefined) return undefined
  if (tlsCert === undefined || tlsKey === undefined) throw new UsageError("--tls-cert and --tls-key go together")
  return { cert: readPem(tlsCert), key: readPem(tlsKey) }
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch (cause) {
    throw new UsageError(`cannot read "${file}": ${fileFailure(cause)}`, { cause })
  }
}
