import { request as httpRequest, type IncomingMessage } from "node:http"
import { FailedPrecondition, Unavailable } from "../../base/errors.ts"
import type { PluginAddress } from "./find-plugins.ts"

/** A volume as a plugin tells of it. */
export interface PluginVolume {
  name: string
  mountpoint: string
  status: Record<string, unknown>
}

/** How long an answer may take, unless a volume says otherwise. */
const PLUGIN_TIMEOUT_MS = 30_000
const MAX_ANSWER_BYTES = 1024 * 1024
const MAX_ERROR_CHARACTERS = 300
const CONTENT_TYPE = "application/vnd.docker.plugins.v1.2+json"

/** Docker's volume plugin protocol (docs.docker.com, "Docker volume plugins"): JSON by POST, bounded in time and size. */
export class PluginClient {
  readonly #plugin: PluginAddress
  readonly #timeoutMs: number

  constructor(plugin: PluginAddress, timeoutMs = PLUGIN_TIMEOUT_MS) {
    this.#plugin = plugin
    this.#timeoutMs = timeoutMs
  }

  /** Throws FailedPrecondition when it is the plugin of something else. */
  async activate(signal?: AbortSignal): Promise<void> {
    const { Implements } = await this.call("Plugin.Activate", {}, signal)
    if (Array.isArray(Implements) && Implements.includes("VolumeDriver")) return
    throw new FailedPrecondition(
      `plugin "${this.#plugin.name}" does not implement the requested interface: VolumeDriver`,
    )
  }

  /** `VolumeDriver.Get`; undefined when the plugin does not know it. */
  async get(name: string, signal?: AbortSignal): Promise<PluginVolume | undefined> {
    try {
      const { Volume } = await this.call("VolumeDriver.Get", { Name: name }, signal)
      return readVolume(Volume)
    } catch (error) {
      // the protocol has no code for it
      if (error instanceof PluginFailure) return undefined
      throw error
    }
  }

  /** `VolumeDriver.Path`: where the files are; "" when they are nowhere. */
  async path(name: string, signal?: AbortSignal): Promise<string> {
    return textOf((await this.call("VolumeDriver.Path", { Name: name }, signal)).Mountpoint)
  }

  async list(signal?: AbortSignal): Promise<PluginVolume[]> {
    const { Volumes } = await this.call("VolumeDriver.List", {}, signal)
    if (!Array.isArray(Volumes)) return []
    return Volumes.flatMap((one) => readVolume(one) ?? [])
  }

  /** `local`, unless it says that its volumes are the same on other machines. */
  async scope(signal?: AbortSignal): Promise<"local" | "global"> {
    try {
      const { Capabilities } = await this.call("VolumeDriver.Capabilities", {}, signal)
      return isRecord(Capabilities) && Capabilities.Scope === "global" ? "global" : "local"
    } catch (error) {
      // older plugins have no such call
      if (error instanceof PluginFailure) return "local"
      throw error
    }
  }

  /** Throws PluginFailure with the plugin's own words, Unavailable when there is no answer, or none that is one. */
  async call(method: string, body: object, signal?: AbortSignal): Promise<Record<string, unknown>> {
    const { name } = this.#plugin
    const timeout = AbortSignal.timeout(this.#timeoutMs)
    const stop = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
    let answer: { status: number; text: string }
    try {
      answer = await post(this.#plugin, `/${method}`, JSON.stringify(body), stop)
    } catch (cause) {
      if (signal?.aborted) throw signal.reason
      const why = timeout.aborted ? `no answer within ${this.#timeoutMs / 1000} s` : reasonOf(cause)
      throw new Unavailable(`volume plugin "${name}" failed at ${method}: ${why}`, {
        hint: "check whether it runs",
        cause,
      })
    }
    const document = parseAnswer(answer.text)
    const failure = isRecord(document) && typeof document.Err === "string" ? document.Err : ""
    if (failure !== "") throw new PluginFailure(`${method}: ${short(failure)}`)
    if (answer.status !== 200) throw new PluginFailure(`${method}: status ${answer.status}`)
    if (!isRecord(document))
      throw new Unavailable(`volume plugin "${name}" answered ${method} with what is no JSON object`, {
        hint: "check whether it is a volume plugin",
      })
    return document
  }
}

/** The plugin was asked, and said no. */
export class PluginFailure extends FailedPrecondition {}

function post(
  plugin: PluginAddress,
  path: string,
  body: string,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; text: string }>()
  const headers = {
    "Content-Type": CONTENT_TYPE,
    Accept: CONTENT_TYPE,
    "Content-Length": Buffer.byteLength(body),
    Host: "plugin",
  }
  const request = httpRequest({ ...plugin.endpoint, path, method: "POST", headers, signal }, (response) => {
    readAll(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject)
  })
  request.on("error", reject)
  request.end(body)
  return promise
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > MAX_ANSWER_BYTES) {
      response.destroy()
      throw new Error(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`)
    }
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}

function parseAnswer(text: string): unknown {
  if (text.trim() === "") return {}
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function readVolume(value: unknown): PluginVolume | undefined {
  if (!isRecord(value) || typeof value.Name !== "string") return undefined
  const { Name: name, Mountpoint: mountpoint, Status: status } = value
  return { name, mountpoint: textOf(mountpoint), status: isRecord(status) ? status : {} }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : ""
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}

function reasonOf(cause: unknown): string {
  return short(cause instanceof Error ? cause.message : String(cause))
}

function short(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, MAX_ERROR_CHARACTERS)
}
