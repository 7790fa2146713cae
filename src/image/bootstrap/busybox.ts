/** A base image of one program: busybox-static of the distribution, with a link for each command in it. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FailedPrecondition, Unavailable } from "../../base/errors.ts"
import { findProgram } from "../../sys/host.ts"
import { installCommand } from "../../sys/install-command.ts"
import { run } from "../../sys/process/process.ts"
import { isStaticBinary } from "../../sys/static-binary.ts"
import type { RootEntry } from "./ustar.ts"

/** The program, and what it does. */
export interface Busybox {
  binary: Uint8Array
  /** When the distribution built it: the same on every host that has this version. */
  builtAtSeconds: number
  /** Names of its commands, sorted. */
  applets: readonly string[]
  /** `BusyBox v1.35.0`. */
  version: string
}

const NAMES = ["busybox", "busybox.static", "busybox-static"]
const REPAIR = { debian: "busybox-static", fedora: "busybox", alpine: "busybox-static", arch: "busybox" }

/** The host's static busybox, else the one of the distribution's package, fetched and not installed. Throws FailedPrecondition. */
export async function obtainBusybox(signal?: AbortSignal): Promise<Busybox> {
  const installed = NAMES.map((name) => findProgram(name)).find((path) => path !== undefined && isStaticBinary(path))
  if (installed !== undefined) return await describe(installed)
  const aside = mkdtempSync(join(tmpdir(), "skiff-busybox-"))
  try {
    return await describe(await download(aside, signal))
  } finally {
    rmSync(aside, { recursive: true, force: true })
  }
}

async function describe(path: string): Promise<Busybox> {
  const { code, stdout, stderr } = await run([path, "--list"])
  const applets = stdout.split("\n").filter((name) => /^[\w.[+-]+$/.test(name) && name !== "busybox")
  if (code !== 0 || !applets.includes("sh"))
    throw new FailedPrecondition(`"${path}" is not a usable busybox: ${stderr.trim() || "it has no sh"}`, {
      hint: `install the one of the distribution: ${installCommand(REPAIR)}`,
    })
  const { stdout: help } = await run([path])
  const [version = "BusyBox"] = /^BusyBox v[\d.]+/.exec(help) ?? []
  const builtAtSeconds = Math.floor(statSync(path).mtimeMs / 1000)
  return { binary: readFileSync(path), builtAtSeconds, applets: applets.toSorted(), version }
}

/** Fetches the Debian package as apt trusts it, and unpacks it in the directory `aside`. */
async function download(aside: string, signal: AbortSignal | undefined): Promise<string> {
  const aptGet = findProgram("apt-get")
  if (aptGet === undefined) throw missing("there is no apt-get")
  // in the rootless namespaces root cannot become apt's download user
  const fetched = await run([aptGet, "-o", "APT::Sandbox::User=root", "download", "busybox-static"], {
    cwd: aside,
    signal,
  })
  const archive = readdirSync(aside).find((name) => name.endsWith(".deb"))
  if (fetched.code !== 0 || archive === undefined) throw missing(fetched.stderr.trim().split("\n").at(-1) ?? "")
  const unpacked = await run(["dpkg-deb", "--extract", join(aside, archive), join(aside, "root")])
  if (unpacked.code !== 0) throw new Unavailable(`cannot unpack ${archive}: ${unpacked.stderr.trim()}`)
  const binary = ["bin/busybox", "usr/bin/busybox"].map((path) => join(aside, "root", path)).find(isStaticBinary)
  if (binary === undefined) throw missing(`${archive} has no static busybox`)
  return binary
}

function missing(why: string): FailedPrecondition {
  return new FailedPrecondition(`no static busybox on this host, and it cannot be fetched: ${why}`, {
    hint: `install it: ${installCommand(REPAIR)}`,
  })
}

const PASSWD = `root:x:0:0:root:/root:/bin/sh
daemon:x:1:1:daemon:/usr/sbin:/bin/false
bin:x:2:2:bin:/bin:/bin/false
mail:x:8:8:mail:/var/spool/mail:/bin/false
www-data:x:33:33:www-data:/var/www:/bin/false
operator:x:37:37:Operator:/var:/bin/false
nobody:x:65534:65534:nobody:/home:/bin/false
`
const GROUP = `root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
mail:x:8:
wheel:x:10:root
www-data:x:33:
operator:x:37:
users:x:100:
nobody:x:65534:
`
const SHADOW = PASSWD.replace(/^([\w-]+):.*$/gm, "$1:*:::::::")

function directory(path: string, mode?: number): RootEntry {
  return { type: "directory", path, mode }
}

function file(path: string, text: string, mode?: number): RootEntry {
  return { type: "file", path, content: Buffer.from(text), mode }
}

/** The root file system, parents before what is in them. */
export function busyboxRoot({ binary, applets }: Pick<Busybox, "binary" | "applets">): RootEntry[] {
  return [
    directory("bin"),
    { type: "file", path: "bin/busybox", content: binary, mode: 0o755 },
    ...applets.map((name): RootEntry => ({ type: "link", path: `bin/${name}`, target: "busybox" })),
    ...["dev", "etc", "home", "mnt", "opt", "proc"].map((path) => directory(path)),
    file("etc/group", GROUP),
    file("etc/passwd", PASSWD),
    file("etc/profile", "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
    file("etc/shadow", SHADOW, 0o600),
    directory("root", 0o700),
    ...["run", "sbin", "srv", "sys"].map((path) => directory(path)),
    directory("tmp", 0o1777),
    ...["usr", "usr/bin", "usr/sbin", "usr/local", "usr/local/bin", "usr/share"].map((path) => directory(path)),
    // scripts begin with `#!/usr/bin/env`
    { type: "link", path: "usr/bin/env", target: "../../bin/env" },
    ...["var", "var/log", "var/spool", "var/spool/mail", "var/www"].map((path) => directory(path)),
    { type: "link", path: "var/run", target: "/run" },
    directory("var/tmp", 0o1777),
  ]
}
