/** A volume plugin of the test's own, over a unix socket, as docker's protocol has it. */
import { createServer, type Server } from "node:http"
import { chmodSync, chownSync, existsSync, mkdirSync, rmdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { user } from "./user.ts"

const SOCKETS = "/run/docker/plugins"

export interface PluginCall {
  method: string
  body: { Name?: string; ID?: string; Opts?: Record<string, string> }
}

/** What is answered in place of what the plugin would say: JSON text, or `"hang"`. */
export type Misbehaviour = (call: PluginCall) => string | undefined

/** Volumes as directories below `root`; who holds each is counted. */
export class VolumePlugin implements AsyncDisposable {
  readonly calls: PluginCall[] = []
  readonly holders = new Map<string, Set<string>>()
  misbehave: Misbehaviour = () => undefined
  readonly #root: string
  readonly #server: Server
  readonly #socket: string
  readonly #made: readonly string[]
  readonly #spec: string

  private constructor(root: string, socket: string, { made, spec }: { made: readonly string[]; spec: string }) {
    this.#root = root
    this.#socket = socket
    this.#made = made
    this.#spec = spec
    this.#server = createServer((request, response) => {
      let text = ""
      request.on("data", (chunk: Buffer) => (text += chunk.toString()))
      request.on("end", () => {
        const call = { method: request.url?.slice(1) ?? "", body: JSON.parse(text || "{}") as PluginCall["body"] }
        this.calls.push(call)
        const wrong = this.misbehave(call)
        if (wrong !== "hang") response.end(wrong ?? JSON.stringify(this.#answer(call)))
      })
    })
  }

  /** Named `name`, where root's engines look; for an ordinary user by a file below `home`, as Docker keeps that place to root. */
  static async listen(name: string, root: string, home: string): Promise<VolumePlugin> {
    const made = user.rootless ? [] : ["/run/docker", SOCKETS].filter((path) => !existsSync(path))
    mkdirSync(root, { recursive: true })
    chownSync(root, user.uid, user.gid)
    const directory = user.rootless ? join(home, ".config/docker/plugins") : SOCKETS
    mkdirSync(directory, { recursive: true })
    const socket = user.rootless ? `${root}.sock` : join(SOCKETS, `${name}.sock`)
    if (user.rootless) writeFileSync(join(directory, `${name}.spec`), `unix://${socket}\n`, { mode: 0o644 })
    const plugin = new VolumePlugin(root, socket, { made, spec: join(directory, `${name}.spec`) })
    await new Promise<void>((resolve) => plugin.#server.listen(socket, resolve))
    chmodSync(socket, 0o666)
    return plugin
  }

  #answer({ method, body: { Name = "", ID = "" } }: PluginCall): object {
    const known = this.holders.get(Name)
    switch (method) {
      case "Plugin.Activate":
        return { Implements: ["VolumeDriver"] }
      case "VolumeDriver.Create":
        this.make(Name)
        return { Err: "" }
      case "VolumeDriver.Capabilities":
        return { Capabilities: { Scope: "global" } }
      case "VolumeDriver.List":
        return { Volumes: [...this.holders.keys()].map((one) => ({ Name: one })) }
    }
    if (known === undefined) return { Err: "no such volume" }
    const path = join(this.#root, Name)
    switch (method) {
      case "VolumeDriver.Mount":
        known.add(ID)
        return { Mountpoint: path }
      case "VolumeDriver.Unmount":
        known.delete(ID)
        return { Err: "" }
      case "VolumeDriver.Remove":
        this.holders.delete(Name)
        rmSync(path, { recursive: true, force: true })
        return { Err: "" }
      case "VolumeDriver.Path":
        return { Mountpoint: path }
      default:
        return { Volume: { Name, Mountpoint: "", Status: { held: known.size } } }
    }
  }

  /** As if another engine had it made. */
  make(name: string): void {
    if (this.holders.has(name)) return
    this.holders.set(name, new Set())
    const path = join(this.#root, name)
    mkdirSync(path, { recursive: true })
    chownSync(path, user.uid, user.gid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    rmSync(this.#spec, { force: true })
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
    rmSync(this.#socket, { force: true })
    for (const path of this.#made.toReversed()) rmdirSync(path)
  }
}
