/** Debian's minimal root file system, made by mmdebstrap from the host's own mirrors and keys. */
import { FailedPrecondition, Unavailable } from "../../base/errors.ts"
import type { Stage } from "../../base/progress.ts"
import type { Bytes } from "../../content/content.ts"
import { findProgram, osRelease } from "../../sys/host.ts"
import { installCommand } from "../../sys/install-command.ts"
import { spawnProcess } from "../../sys/process/process.ts"
import { sendSignal } from "../../sys/libc.ts"
import { aptSources, mirrorsOf } from "./apt-sources.ts"

const DEFAULT_SUITE = "stable"
const SIGTERM = 15
const KEPT_LINES = 12

/** What mmdebstrap says when it begins something that takes its time. */
const STAGES: readonly (readonly [beginning: string, Stage])[] = [
  ["I: running apt-get update", "updating-lists"],
  ["I: downloading packages", "downloading-packages"],
  ["I: extracting archives", "unpacking-packages"],
  ["I: installing", "installing-packages"],
  ["I: cleaning", "cleaning"],
  ["I: creating tarball", "packing"],
]

/** The suite of this host where it is a Debian, else the stable one. */
export function defaultSuite(): string {
  const { id, codename } = osRelease()
  return id === "debian" && codename !== undefined ? codename : DEFAULT_SUITE
}

/** What a container never reads, as in the slim images of Docker Hub. Licences (copyright) stay. */
const LEFT_OUT = ["/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/doc/*"]
const KEPT = ["/usr/share/doc/*/copyright"]

/** The words that make `suite` as a tar on standard output. */
export function mmdebstrapArguments(suite: string, mirrors: readonly string[]): string[] {
  return [
    "--mode=root", // real root, or root of the pause process's namespaces: there it binds /dev where it cannot mknod
    "--variant=minbase",
    "--format=tar",
    // a runtime makes its own /dev
    "--skip=output/dev,output/mknod",
    ...LEFT_OUT.map((path) => `--dpkgopt=path-exclude=${path}`),
    ...KEPT.map((path) => `--dpkgopt=path-include=${path}`),
    // mmdebstrap copies these two from the host
    '--customize-hook=rm -f "$1/etc/hostname" "$1/etc/resolv.conf"',
    suite,
    "-",
    ...mirrors,
  ]
}

/** The stage that begins with this line of mmdebstrap's; undefined where none does. */
export function stageOf(line: string): Stage | undefined {
  return STAGES.find(([beginning]) => line.startsWith(beginning))?.[1]
}

/** Streams the tar of `suite`. Throws FailedPrecondition without mmdebstrap, Unavailable with its last lines when it fails. */
export async function* debianTar(suite: string, onStage: (stage: Stage) => void, signal?: AbortSignal): Bytes {
  const program = findProgram("mmdebstrap")
  if (program === undefined)
    throw new FailedPrecondition("mmdebstrap is not installed: it makes Debian base images", {
      hint: `install it: ${installCommand({ debian: "mmdebstrap" })}`,
    })
  signal?.throwIfAborted()
  const argv = [program, ...mmdebstrapArguments(suite, mirrorsOf(suite, aptSources()))]
  const child = spawnProcess(argv, {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: "/",
    env: { ...process.env, PATH: `${process.env.PATH ?? ""}:/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin` },
  })
  const stop = () => sendSignal(child.pid, SIGTERM) // it unmounts and removes what it made
  signal?.addEventListener("abort", stop)
  let ended = false
  try {
    const lines = readLines(child.stderr, (line) => {
      const stage = stageOf(line)
      if (stage !== undefined) onStage(stage)
    })
    if (child.stdout) yield* child.stdout
    const code = await child.exited
    ended = true
    signal?.throwIfAborted()
    if (code !== 0)
      throw new Unavailable(`mmdebstrap of "${suite}" failed with ${code}:\n${(await lines).join("\n")}`, {
        hint: `is "${suite}" a suite of this mirror, and is the mirror reachable?`,
      })
  } finally {
    signal?.removeEventListener("abort", stop)
    // the reader of the tar gave up, a full disk perhaps
    if (!ended) stop()
  }
}

/** Reports each line, gives the last ones. */
async function readLines(stream: Bytes | undefined, onLine: (line: string) => void): Promise<string[]> {
  const kept: string[] = []
  let rest = ""
  const decoder = new TextDecoder()
  for await (const chunk of stream ?? []) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/[\r\n]+/)
    rest = parts.pop() ?? ""
    for (const line of parts) {
      if (line.trim() === "") continue
      onLine(line)
      kept.push(line)
      if (kept.length > KEPT_LINES) kept.shift()
    }
  }
  return rest.trim() === "" ? kept : [...kept, rest]
}
