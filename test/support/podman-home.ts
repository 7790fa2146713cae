/** Podman of the user of this run, with a store of its own below a directory of the test. */
import { spawnSync } from "node:child_process"
import { chownSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { user } from "./user.ts"

export interface PodmanHome {
  graphRoot: string
  /** What makes podman, and who reads its store, use it. */
  env: Record<string, string>
  /** Runs podman to its end; gives standard output, trimmed. Throws with its standard error. */
  ok(...args: string[]): string
  /** Runs a program as who the files of containers belong to. */
  unshared(...argv: string[]): void
  /** Removes all of it. */
  remove(): void
}

/** Why there is no podman to be asked here, or false. */
export const noPodmanHere: string | false =
  spawnSync("sh", ["-c", "command -v podman"]).status !== 0 && "no podman here"

/** `directory` and `home` are the user's. */
export function openPodmanHome(directory: string, home: string, driver = "overlay"): PodmanHome {
  const own = join(directory, `podman-${driver}`)
  const graphRoot = join(own, "storage")
  for (const path of [own, graphRoot]) {
    mkdirSync(path)
    chownSync(path, user.uid, user.gid)
  }
  const write = (name: string, text: string) => {
    writeFileSync(join(own, name), text)
    return join(own, name)
  }
  const storage = `[storage]\ndriver = "${driver}"\nrunroot = "${own}/run"\ngraphroot = "${graphRoot}"\nrootless_storage_path = "${graphRoot}"\n`
  // limits beyond what a root without CAP_SYS_RESOURCE may raise, and places of networks and of state that are the host's
  const containers = `[containers]\ndefault_ulimits = ["nofile=1024:4096", "nproc=4096:4096"]
[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\nruntime = "runc"\ntmp_dir = "${own}/tmp"
[network]\nnetwork_config_dir = "${own}/networks"\n`
  const env = {
    ...user.env,
    HOME: home,
    CONTAINERS_STORAGE_CONF: write("storage.conf", storage),
    CONTAINERS_CONF: write("containers.conf", containers),
  }
  const run = (words: readonly string[]) => {
    const [program = "", ...rest] = [...user.prefix, ...words]
    return spawnSync(program, rest, { env, cwd: directory, timeout: 60_000, encoding: "utf8" })
  }
  return {
    graphRoot,
    env: { CONTAINERS_STORAGE_CONF: env.CONTAINERS_STORAGE_CONF, CONTAINERS_CONF: env.CONTAINERS_CONF },
    ok(...args) {
      const { status, stdout, stderr } = run(["podman", ...args])
      if (status !== 0) throw new Error(`podman ${args.join(" ")} gave ${status}: ${stderr}`)
      return stdout.trim()
    },
    unshared(...argv) {
      const { status, stderr } = run(user.rootless ? ["podman", "unshare", ...argv] : argv)
      if (status !== 0) throw new Error(`${argv.join(" ")} gave ${status}: ${stderr}`)
    },
    remove() {
      // an ordinary user's files there are of ids that only his namespace may remove
      if (user.rootless) run(["podman", "unshare", "rm", "-rf", graphRoot])
      // ends the process that keeps that namespace
      if (user.rootless) run(["podman", "system", "migrate"])
      spawnSync("umount", ["--lazy", join(graphRoot, "overlay")])
      rmSync(own, { recursive: true, force: true })
    },
  }
}
