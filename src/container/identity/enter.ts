/** What a start does because of the options of identity-options.ts. Loaded only for containers that have some. */
import { chmodSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { atomicWrite } from "../../base/atomic-write.ts"
import { FailedPrecondition, Unsupported } from "../../base/errors.ts"
import type { ConfigInput, Runtime } from "../../runtime/runtime.ts"
import type { OciMount } from "../../spec/oci-runtime.ts"
import type { ResolvedUser } from "../../sys/fs/image-users.ts"
import { filesDirectory, mountFiles } from "../container-files.ts"
import type { ContainerDeps } from "../deps.ts"
import type { ContainerRecord } from "../record.ts"
import { accountFiles } from "./accounts.ts"
import { isSystemd, systemdMounts } from "./systemd.ts"
import { timeZoneFile } from "./time-zone.ts"

/** crun leaves the supplementary groups as they are (crun(1)). */
const KEEP_GROUPS = "run.oci.keep_original_groups"

/** Files over /etc beside those of the network: accounts, the time zone. A mount of the user's at the same place goes before ours. */
export function identityFiles(
  deps: ContainerDeps,
  { id, spec }: ContainerRecord,
  { rootfs, user, keptUid }: { rootfs: string; user: ResolvedUser; keptUid?: number | undefined },
): OciMount[] {
  const { options, run } = spec
  const zone = options.etc?.timeZone
  const accounts = accountFiles({ rootfs, user, options: options.accounts ?? {}, workdir: run.workdir, keptUid })
  const texts: [target: string, text: string | Uint8Array | undefined][] = [
    ["/etc/passwd", accounts.passwd],
    ["/etc/group", accounts.group],
    ["/etc/localtime", zone === undefined ? undefined : timeZoneFile(zone)],
  ]
  const own = texts.filter(
    ([target, text]) => text !== undefined && !spec.mounts.some((mount) => mount.target === target),
  )
  // who joins another's network has no files of its own yet
  if (own.length > 0 && options.network.kind === "container") mountFiles(deps, id)
  return own.map(([target, text = ""]) => {
    const source = join(filesDirectory(deps, id), target.slice("/etc/".length))
    writeFileSync(source, text, "latin1")
    chmodSync(source, 0o644)
    return { destination: target, type: "bind", source, options: ["rbind", "rprivate"] }
  })
}

/** Places that can be written although the root cannot, and those of systemd. */
export function identityMounts({ spec }: ContainerRecord): OciMount[] {
  const { tree = {}, readOnly } = spec.options
  const taken = (target: string): boolean => spec.mounts.some((mount) => mount.target === target)
  const systemd = isSystemdRun(spec) ? systemdMounts(tree, taken) : []
  if (!readOnly || tree.readOnlyTmpfs !== true) return systemd
  const writable = ["/run", "/tmp", "/var/tmp"].filter(
    (target) => !taken(target) && !systemd.some(({ destination }) => destination === target),
  )
  return [
    ...systemd,
    ...writable.map((destination) => ({
      destination,
      type: "tmpfs",
      source: "tmpfs",
      options: ["rw", "nosuid", "nodev", "tmpcopyup", `mode=${destination === "/run" ? "755" : "1777"}`],
    })),
  ]
}

/** What `config.json` says of the first process. Throws Unsupported for what the runtime cannot. */
export function identityInput({ spec }: ContainerRecord, runtime: Pick<Runtime, "name">): Partial<ConfigInput> {
  const { process = {}, annotations = {} } = spec.options
  const { keepGroups, personality, umask } = process
  for (const [field, what, isGiven] of [
    ["groupAdd", "keeps no groups of the caller", keepGroups],
    ["process.personality", "sets no personality", personality !== undefined],
  ] as const)
    if (isGiven && runtime.name !== "crun")
      throw new Unsupported(`${runtime.name} ${what}`, {
        field,
        hint: { do: "set", field: "runtime", value: "crun" },
      })
  const all = { ...annotations, ...(keepGroups && { [KEEP_GROUPS]: "1" }) }
  return {
    ...(Object.keys(all).length > 0 && { annotations: all }),
    ...(umask !== undefined && { umask }),
    ...(personality !== undefined && { personality }),
    ...(isSystemdRun(spec) && { ownsCgroups: true }),
  }
}

function isSystemdRun({ options, run }: ContainerRecord["spec"]): boolean {
  return isSystemd(options.tree, [...run.entrypoint, ...run.command])
}

/** Throws FailedPrecondition. */
export function writePidFile(path: string, pid: number): void {
  try {
    atomicWrite(path, `${pid}`)
  } catch (cause) {
    throw new FailedPrecondition(`cannot write the pid to "${path}"`, { field: "process.pidFile", cause })
  }
}
