import { mkdirSync, readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { command } from "../../command.ts"
import { fileFailure } from "../../file-failure.ts"
import { flag } from "../../flag.ts"
import { UsageError } from "../../errors/usage-error.ts"
import { DEFAULT_GRACE_MS } from "../../registry/grace.ts"
import { bucketAddress, readBucket } from "../../registry/bucket-address.ts"
import { LIMIT_FLAGS, limitsOf } from "../../registry/limit-flags.ts"
import { trustHere } from "../../registry/trust-here.ts"
import { AbortOnInterrupt } from "../../abort-on-interrupt.ts"
import type { RegistryStoreOptions } from "../../../engine/engine.ts"
import type { PeriodicCollection } from "../../../registry/registry.ts"

const DEFAULT_PORT = 5000
const MIN_GC_MS = 1000

export default command({
  summary: "Serve a registry: the local images, or a directory of its own",
  description:
    "Without --storage it serves the local images, which can be pulled and not changed. With it, it is a registry that is pushed to.",
  args: [],
  flags: {
    listen: flag.of(readAddress, "Where to listen (default 127.0.0.1:5000; port 0: any that is free)", "address"),
    proxy: flag.of(readUpstream, "Give what this registry has, fetched once and kept (needs --storage)", "url"),
    storage: flag.string("Keep what is pushed in this directory", "dir"),
    bucket: flag.of(readBucket, "Keep what is pushed in this S3 bucket (needs --storage for what is under way)", "url"),
    access: flag.string("Rules of who may do what, TOML (needs --htpasswd)", "file"),
    anonymousPull: flag.bool("Let who gives no name pull (needs --htpasswd)"),
    gcAfter: flag.duration("Remove garbage so often (needs --storage)"),
    gcGrace: flag.duration("Leave what was asked for within this time (default 1h)"),
    gcUntagged: flag.bool("Remove manifests without a tag, too"),
    ...LIMIT_FLAGS,
    htpasswd: flag.string("Users with bcrypt hashes, as htpasswd -B writes them", "file"),
    metrics: flag.bool("Say at /metrics what was done, for Prometheus"),
    webhook: flag.list(readWebhook, "Tell this address of pushes, pulls and deletions", "url"),
    tls: flag.choice(["auto", "off"], 'TLS with a certificate that is made here: "auto"'),
    tlsCert: flag.string("Speak TLS with this certificate (PEM, with those that it stands on)", "file"),
    tlsKey: flag.string("The key of the certificate (PEM)", "file"),
  },
  async run({ flags, engine, out }) {
    const tls = await tlsOf(flags)
    const listening = flags.listen ?? { hostname: "127.0.0.1", port: DEFAULT_PORT }
    const registries = await engine.registries()
    if (flags.proxy !== undefined && flags.storage === undefined)
      throw new UsageError("--proxy keeps what it fetches in the directory of --storage")
    const behind = behindOf(flags)
    await using owned =
      flags.storage === undefined ? undefined : await engine.registryStore(made(flags.storage), behind)
    const store = owned ?? (await (await engine.images()).served())
    using interrupt = new AbortOnInterrupt()
    const { htpasswd, access: rules, anonymousPull, storage: directory } = flags
    const access = { htpasswd, rules, anonymousPull, directory }
    const { metrics, webhook: webhooks } = flags
    const [collect, limits] = [collectionOf(flags), limitsOf(flags)]
    await using server = await registries.serve(store, {
      ...listening,
      tls,
      access,
      collect,
      limits,
      metrics,
      webhooks,
    })
    using _ = tls?.authority === undefined ? undefined : trustHere(tls.authority, server.url)
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

interface BehindFlags {
  bucket: ReturnType<typeof readBucket> | undefined
  proxy: ReturnType<typeof readUpstream> | undefined
  storage: string | undefined
}

/** What stands behind the directory: another registry, a bucket, or nothing. */
function behindOf({ bucket, proxy, storage }: BehindFlags): RegistryStoreOptions | undefined {
  if (bucket === undefined) return proxy
  if (storage === undefined) throw new UsageError("--bucket needs --storage, the directory of what is under way")
  if (proxy !== undefined) throw new UsageError("--proxy keeps what it fetches in a directory, not in a bucket")
  return { bucket: bucketAddress(bucket) }
}

/** `docker.io`, `https://quay.io`, `http://127.0.0.1:5001`. */
function readUpstream(text: string): { proxyOf: string; tlsVerify?: boolean } {
  const [, scheme, host] =
    /^(?:(https?):\/\/)?([A-Za-z0-9.-]+(?::\d+)?|\[[0-9a-fA-F:]+\](?::\d+)?)\/?$/.exec(text) ?? []
  if (host === undefined) throw new UsageError(`expected a registry, not "${text}"`)
  const proxyOf = ["registry-1.docker.io", "index.docker.io"].includes(host) ? "docker.io" : host
  return { proxyOf, ...(scheme === "http" && { tlsVerify: false }) }
}

function readWebhook(text: string): string {
  const isHttp = URL.canParse(text) && ["http:", "https:"].includes(new URL(text).protocol)
  if (!isHttp) throw new UsageError(`expected http://… or https://…, not "${text}"`)
  return text
}

interface CollectionFlags {
  gcAfter: number | undefined
  gcGrace: number | undefined
  gcUntagged: boolean
  storage: string | undefined
}

function collectionOf({ gcAfter, gcGrace, gcUntagged, storage }: CollectionFlags): PeriodicCollection | undefined {
  if (gcAfter === undefined) {
    if (gcUntagged || gcGrace !== undefined) throw new UsageError("--gc-grace and --gc-untagged need --gc-after")
    return undefined
  }
  if (storage === undefined)
    throw new UsageError("--gc-after needs --storage", {
      hint: "what the local images do not use goes by: skiff system prune",
    })
  if (gcAfter < MIN_GC_MS) throw new UsageError("--gc-after is at least 1s")
  return { everyMs: gcAfter, graceMs: gcGrace ?? DEFAULT_GRACE_MS, untagged: gcUntagged }
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

interface Tls {
  cert: string
  key: string
  /** File of the authority that it stands on, where that was made here. */
  authority?: string
}

interface TlsFlags {
  tls: "auto" | "off" | undefined
  tlsCert: string | undefined
  tlsKey: string | undefined
  storage: string | undefined
}

async function tlsOf({ tls, tlsCert, tlsKey, storage }: TlsFlags): Promise<Tls | undefined> {
  if (tlsCert !== undefined && tlsKey !== undefined) return { cert: readPem(tlsCert), key: readPem(tlsKey) }
  if (tlsCert !== undefined || tlsKey !== undefined) throw new UsageError("--tls-cert and --tls-key go together")
  if (tls !== "auto") return undefined
  if (storage === undefined)
    throw new UsageError("--tls auto keeps its certificate in the directory of --storage", {
      hint: "give one, or a certificate by --tls-cert and --tls-key",
    })
  const { madeCertificate } = await import("../../../sys/net/made-certificate.ts")
  return madeCertificate(join(made(storage), "tls"))
}

function readPem(file: string): string {
  try {
    return readFileSync(file, "utf8")
  } catch (cause) {
    throw new UsageError(`cannot read "${file}": ${fileFailure(cause)}`, { cause })
  }
}
