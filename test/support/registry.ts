/** A real registry: Debian's docker-registry on a free port of 127.0.0.1, its storage in a temporary directory. */
import { spawn, spawnSync, type ChildProcess } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { buildImage, writeLayout, type BuiltImage, type Descriptor, type ImageSpec } from "./image.ts"
import { eventually, freePort } from "./wait.ts"

export interface RegistryOptions {
  /** Basic authentication: only ACCOUNT comes in. */
  private?: boolean
}

export const ACCOUNT = { user: "tester", password: "open sesame" }
const HTPASSWD = "tester:$2y$04$d5vNdI8ZWIVBITBiee8fBOtINoGDcgHvkYsMfw9PeL/2jRvqzQ3HS\n"

export class Registry {
  readonly host: string
  readonly #directory: string
  readonly #process: ChildProcess
  readonly #private: boolean
  #layouts = 0

  static async start(options: RegistryOptions = {}): Promise<Registry> {
    const registry = new Registry(await freePort(), options)
    await eventually(async () => {
      const { status } = await fetch(`http://${registry.host}/v2/`)
      if (status !== 200 && status !== 401) throw new Error(`registry answers ${status}`)
    })
    return registry
  }

  private constructor(port: number, options: RegistryOptions) {
    this.host = `127.0.0.1:${port}`
    this.#private = options.private ?? false
    this.#directory = mkdtempSync(join(tmpdir(), "skiff-registry-"))
    const lines = [
      "version: 0.1",
      "log: { accesslog: { disabled: false }, level: warn }",
      `storage: { filesystem: { rootdirectory: ${this.#directory}/data }, delete: { enabled: true } }`,
      `http: { addr: "${this.host}", secret: tests }`,
    ]
    if (this.#private) {
      writeFileSync(join(this.#directory, "htpasswd"), HTPASSWD)
      lines.push(`auth: { htpasswd: { realm: tests, path: ${this.#directory}/htpasswd } }`)
    }
    writeFileSync(join(this.#directory, "config.yml"), `${lines.join("\n")}\n`)
    // it lives as long as the other end of its input: it ends, and its storage goes, with the test process however that ends
    const shell = `docker-registry serve config.yml >log 2>&1 & cat >/dev/null; kill -9 $!; cd /; rm -rf "$0"`
    this.#process = spawn("sh", ["-c", shell, this.#directory], {
      stdio: ["pipe", "ignore", "ignore"],
      cwd: this.#directory,
      detached: true, // a Ctrl-C at the terminal is not for it
    })
    this.#process.unref()
  }

  /** Pushes the image under `name` (`repository:tag`) by skopeo; more than one becomes an index. Gives the full name. */
  push(name: string, ...specs: ImageSpec[]): string {
    return this.pushBuilt(name, ...specs.map(buildImage)).reference
  }

  pushBuilt(name: string, ...images: BuiltImage[]): { reference: string; descriptor: Descriptor } {
    const layout = join(this.#directory, `layout-${this.#layouts++}`)
    const descriptor = writeLayout(layout, images)
    const account = this.#private ? [`--dest-creds=${ACCOUNT.user}:${ACCOUNT.password}`] : []
    const copy = [
      "copy",
      "--quiet",
      "--all",
      "--preserve-digests",
      "--dest-tls-verify=false",
      "--insecure-policy",
      ...account,
    ]
    const { status, stderr } = spawnSync("skopeo", [...copy, `oci:${layout}`, `docker://${this.host}/${name}`])
    if (status !== 0) throw new Error(`skopeo copy failed: ${stderr}`)
    rmSync(layout, { recursive: true })
    return { reference: `${this.host}/${name}`, descriptor }
  }

  /** Requests that reached it: `GET /v2/…`. Waits for the log to hold still. */
  async requests(): Promise<string[]> {
    const read = () => readFileSync(join(this.#directory, "log"), "utf8")
    let text = read()
    for (;;) {
      await sleep(50)
      const now = read()
      if (now === text) break
      text = now
    }
    return [...text.matchAll(/"(GET|HEAD|POST|PUT|PATCH|DELETE) (\S+) HTTP/g)].map((match) => `${match[1]} ${match[2]}`)
  }

  stop(): void {
    this.#process.stdin?.end()
  }
}

let shared: Promise<Registry> | undefined

/** One for all test files of this process; it holds what they push. */
export function sharedRegistry(): Promise<Registry> {
  return (shared ??= Registry.start())
}
