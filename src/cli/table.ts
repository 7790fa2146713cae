import type { Command } from "./command.ts"

/** A command by all its names. Its file loads only when it is named. */
export interface Entry {
  /** The whole path first (`container ls`), then docker's other names for it. */
  names: readonly [string, ...string[]]
  load(): Promise<{ default: Command }>
  /** Verbs for machines: neither in help nor completed. */
  hidden?: boolean
  /** A process enters a cgroup at once: what the kernel needs for that takes longer than the command to load. */
  entersCgroup?: boolean
}

/** Management groups, with their lines in help. */
export const GROUPS: Readonly<Record<string, string>> = {
  audit: "Show who changed what, and check it",
  builder: "Manage builds",
  buildx: "Docker's names for builds, and its builders",
  checkpoint: "Manage checkpoints",
  container: "Manage containers",
  generate: "Generate structured data from containers and pods",
  healthcheck: "Check the health of containers",
  image: "Manage images",
  kube: "Make Kubernetes YAML",
  meter: "Report what containers have used",
  network: "Manage networks",
  pod: "Manage pods",
  quadlet: "Manage Quadlet files, of which systemd makes services",
  registry: "Serve a registry",
  secret: "Manage secrets",
  system: "Manage skiff",
  volume: "Manage volumes",
}

/** Those that help shows first, in this order. */
export const COMMON = ["run", "exec", "ps", "build", "pull", "push", "images", "login", "logout", "version", "info"]

/** Every command, in the order of its group. */
export const TABLE: readonly Entry[] = [
  { names: ["audit log"], load: () => import("./commands/audit/log.ts") },
  { names: ["audit verify"], load: () => import("./commands/audit/verify.ts") },
  { names: ["builder add"], load: () => import("./commands/builder/add.ts") },
  { names: ["builder commit"], load: () => import("./commands/builder/commit.ts") },
  { names: ["builder config"], load: () => import("./commands/builder/config.ts") },
  { names: ["builder containers", "builder ps"], load: () => import("./commands/builder/containers.ts") },
  { names: ["builder copy"], load: () => import("./commands/builder/copy.ts") },
  { names: ["builder du", "buildx du"], load: () => import("./commands/builder/du.ts") },
  { names: ["builder from"], load: () => import("./commands/builder/from.ts") },
  { names: ["builder images"], load: () => import("./commands/builder/images.ts") },
  { names: ["builder inspect"], load: () => import("./commands/builder/inspect.ts") },
  { names: ["builder mount"], load: () => import("./commands/builder/mount.ts") },
  { names: ["builder prune", "buildx prune"], load: () => import("./commands/builder/prune.ts") },
  { names: ["builder rename"], load: () => import("./commands/builder/rename.ts") },
  { names: ["builder rm", "builder delete"], load: () => import("./commands/builder/rm.ts") },
  { names: ["builder run"], load: () => import("./commands/builder/run.ts") },
  { names: ["builder unmount", "builder umount"], load: () => import("./commands/builder/unmount.ts") },
  { names: ["buildx create"], load: () => import("./commands/buildx/create.ts") },
  { names: ["buildx inspect"], load: () => import("./commands/buildx/inspect.ts") },
  { names: ["buildx ls"], load: () => import("./commands/buildx/ls.ts") },
  { names: ["buildx rm"], load: () => import("./commands/buildx/rm.ts") },
  { names: ["buildx stop"], load: () => import("./commands/buildx/stop.ts") },
  { names: ["buildx use"], load: () => import("./commands/buildx/use.ts") },
  { names: ["buildx version"], load: () => import("./commands/buildx/version.ts") },
  { names: ["checkpoint create"], load: () => import("./commands/checkpoint/create.ts") },
  { names: ["checkpoint ls", "checkpoint list"], load: () => import("./commands/checkpoint/ls.ts") },
  { names: ["checkpoint rm", "checkpoint remove"], load: () => import("./commands/checkpoint/rm.ts") },
  { names: ["container attach", "attach"], load: () => import("./commands/container/attach.ts") },
  { names: ["container checkpoint"], load: () => import("./commands/container/checkpoint.ts") },
  { names: ["container cleanup"], load: () => import("./commands/container/cleanup.ts") },
  { names: ["container clone"], load: () => import("./commands/container/clone.ts") },
  { names: ["container commit", "commit"], load: () => import("./commands/container/commit.ts") },
  { names: ["container cp", "cp"], load: () => import("./commands/container/cp.ts") },
  { names: ["container create", "create"], load: () => import("./commands/container/create.ts") },
  { names: ["container diff"], load: () => import("./commands/container/diff.ts") },
  {
    names: ["container exec", "exec"],
    load: () => import("./commands/container/exec.ts"),
    entersCgroup: true,
  },
  { names: ["container exists"], load: () => import("./commands/container/exists.ts") },
  { names: ["container export", "export"], load: () => import("./commands/container/export.ts") },
  { names: ["container forensics", "forensics"], load: () => import("./commands/container/forensics.ts") },
  { names: ["container init", "init"], load: () => import("./commands/container/init.ts") },
  { names: ["container inspect"], load: () => import("./commands/container/inspect.ts") },
  { names: ["container kill", "kill"], load: () => import("./commands/container/kill.ts") },
  { names: ["container logs", "logs"], load: () => import("./commands/container/logs.ts") },
  { names: ["container ls", "container list", "container ps", "ps"], load: () => import("./commands/container/ls.ts") },
  { names: ["container mount", "mount"], load: () => import("./commands/container/mount.ts") },
  { names: ["container pause", "pause"], load: () => import("./commands/container/pause.ts") },
  { names: ["container port", "port"], load: () => import("./commands/container/port.ts") },
  { names: ["container prune"], load: () => import("./commands/container/prune.ts") },
  { names: ["container rename", "rename"], load: () => import("./commands/container/rename.ts") },
  { names: ["container restart", "restart"], load: () => import("./commands/container/restart.ts") },
  { names: ["container restore"], load: () => import("./commands/container/restore.ts") },
  { names: ["container rm", "container remove", "rm"], load: () => import("./commands/container/rm.ts") },
  { names: ["container run", "run"], load: () => import("./commands/container/run.ts") },
  { names: ["container runlabel"], load: () => import("./commands/container/runlabel.ts") },
  { names: ["container start", "start"], load: () => import("./commands/container/start.ts") },
  { names: ["container stats", "stats"], load: () => import("./commands/container/stats.ts") },
  { names: ["container stop", "stop"], load: () => import("./commands/container/stop.ts") },
  { names: ["container top", "top"], load: () => import("./commands/container/top.ts") },
  {
    names: ["container unmount", "unmount", "container umount", "umount"],
    load: () => import("./commands/container/unmount.ts"),
  },
  { names: ["container unpause", "unpause"], load: () => import("./commands/container/unpause.ts") },
  { names: ["container update", "update"], load: () => import("./commands/container/update.ts") },
  { names: ["container wait", "wait"], load: () => import("./commands/container/wait.ts") },
  { names: ["generate spec"], load: () => import("./commands/generate/spec.ts") },
  { names: ["generate systemd"], load: () => import("./commands/generate/systemd.ts") },
  { names: ["healthcheck run"], load: () => import("./commands/healthcheck/run.ts") },
  { names: ["image attestations"], load: () => import("./commands/image/attestations.ts") },
  { names: ["image bootstrap"], load: () => import("./commands/image/bootstrap.ts") },
  { names: ["image build", "build", "builder build", "buildx build"], load: () => import("./commands/image/build.ts") },
  { names: ["image diff"], load: () => import("./commands/image/diff.ts") },
  { names: ["image exists"], load: () => import("./commands/image/exists.ts") },
  { names: ["image history", "history"], load: () => import("./commands/image/history.ts") },
  { names: ["image import", "import"], load: () => import("./commands/image/import.ts") },
  { names: ["image inspect"], load: () => import("./commands/image/inspect.ts") },
  { names: ["image load", "load"], load: () => import("./commands/image/load.ts") },
  { names: ["image ls", "image list", "images"], load: () => import("./commands/image/ls.ts") },
  { names: ["image mount"], load: () => import("./commands/image/mount.ts") },
  { names: ["image prune"], load: () => import("./commands/image/prune.ts") },
  { names: ["image pull", "pull"], load: () => import("./commands/image/pull.ts") },
  { names: ["image push", "push"], load: () => import("./commands/image/push.ts") },
  { names: ["image rm", "image remove", "rmi"], load: () => import("./commands/image/rm.ts") },
  { names: ["image save", "save"], load: () => import("./commands/image/save.ts") },
  { names: ["image search", "search"], load: () => import("./commands/image/search.ts") },
  { names: ["image tag", "tag"], load: () => import("./commands/image/tag.ts") },
  { names: ["image tree"], load: () => import("./commands/image/tree.ts") },
  { names: ["image unmount", "image umount"], load: () => import("./commands/image/unmount.ts") },
  { names: ["image untag", "untag"], load: () => import("./commands/image/untag.ts") },
  { names: ["kube generate", "generate kube"], load: () => import("./commands/kube/generate.ts") },
  { names: ["meter off"], load: () => import("./commands/meter/off.ts") },
  { names: ["meter on"], load: () => import("./commands/meter/on.ts") },
  { names: ["meter report"], load: () => import("./commands/meter/report.ts") },
  { names: ["meter watch"], load: () => import("./commands/meter/watch.ts") },
  { names: ["network connect"], load: () => import("./commands/network/connect.ts") },
  { names: ["network create"], load: () => import("./commands/network/create.ts") },
  { names: ["network disconnect"], load: () => import("./commands/network/disconnect.ts") },
  { names: ["network exists"], load: () => import("./commands/network/exists.ts") },
  { names: ["network inspect"], load: () => import("./commands/network/inspect.ts") },
  { names: ["network log"], load: () => import("./commands/network/log.ts") },
  { names: ["network ls", "network list"], load: () => import("./commands/network/ls.ts") },
  { names: ["network prune"], load: () => import("./commands/network/prune.ts") },
  { names: ["network reload"], load: () => import("./commands/network/reload.ts") },
  { names: ["network rm", "network remove"], load: () => import("./commands/network/rm.ts") },
  { names: ["network update"], load: () => import("./commands/network/update.ts") },
  { names: ["pod clone"], load: () => import("./commands/pod/clone.ts") },
  { names: ["pod create"], load: () => import("./commands/pod/create.ts") },
  { names: ["pod exists"], load: () => import("./commands/pod/exists.ts") },
  { names: ["pod inspect"], load: () => import("./commands/pod/inspect.ts") },
  { names: ["pod kill"], load: () => import("./commands/pod/kill.ts") },
  { names: ["pod logs"], load: () => import("./commands/pod/logs.ts") },
  { names: ["pod pause"], load: () => import("./commands/pod/pause.ts") },
  { names: ["pod prune"], load: () => import("./commands/pod/prune.ts") },
  { names: ["pod ps", "pod ls", "pod list"], load: () => import("./commands/pod/ps.ts") },
  { names: ["pod restart"], load: () => import("./commands/pod/restart.ts") },
  { names: ["pod rm"], load: () => import("./commands/pod/rm.ts") },
  { names: ["pod start"], load: () => import("./commands/pod/start.ts") },
  { names: ["pod stats"], load: () => import("./commands/pod/stats.ts") },
  { names: ["pod stop"], load: () => import("./commands/pod/stop.ts") },
  { names: ["pod top"], load: () => import("./commands/pod/top.ts") },
  { names: ["pod unpause"], load: () => import("./commands/pod/unpause.ts") },
  { names: ["quadlet generate"], load: () => import("./commands/quadlet/generate.ts") },
  { names: ["quadlet install"], load: () => import("./commands/quadlet/install.ts") },
  { names: ["quadlet list", "quadlet ls"], load: () => import("./commands/quadlet/list.ts") },
  { names: ["quadlet print"], load: () => import("./commands/quadlet/print.ts") },
  { names: ["quadlet rm"], load: () => import("./commands/quadlet/rm.ts") },
  { names: ["registry serve"], load: () => import("./commands/registry/serve.ts") },
  { names: ["secret create"], load: () => import("./commands/secret/create.ts") },
  { names: ["secret exists"], load: () => import("./commands/secret/exists.ts") },
  { names: ["secret inspect"], load: () => import("./commands/secret/inspect.ts") },
  { names: ["secret ls", "secret list"], load: () => import("./commands/secret/ls.ts") },
  { names: ["secret rm", "secret remove"], load: () => import("./commands/secret/rm.ts") },
  { names: ["system check"], load: () => import("./commands/system/check.ts") },
  { names: ["system df"], load: () => import("./commands/system/df.ts") },
  { names: ["system disable-boot"], load: () => import("./commands/system/disable-boot.ts") },
  { names: ["system enable-boot"], load: () => import("./commands/system/enable-boot.ts") },
  { names: ["system events", "events"], load: () => import("./commands/system/events.ts") },
  { names: ["system info", "info"], load: () => import("./commands/system/info.ts") },
  { names: ["system prune"], load: () => import("./commands/system/prune.ts") },
  { names: ["system reset"], load: () => import("./commands/system/reset.ts") },
  { names: ["volume create"], load: () => import("./commands/volume/create.ts") },
  { names: ["volume exists"], load: () => import("./commands/volume/exists.ts") },
  { names: ["volume export"], load: () => import("./commands/volume/export.ts") },
  { names: ["volume import"], load: () => import("./commands/volume/import.ts") },
  { names: ["volume inspect"], load: () => import("./commands/volume/inspect.ts") },
  { names: ["volume ls", "volume list"], load: () => import("./commands/volume/ls.ts") },
  { names: ["volume mount"], load: () => import("./commands/volume/mount.ts") },
  { names: ["volume prune"], load: () => import("./commands/volume/prune.ts") },
  { names: ["volume pull"], load: () => import("./commands/volume/pull.ts") },
  { names: ["volume push"], load: () => import("./commands/volume/push.ts") },
  { names: ["volume reload"], load: () => import("./commands/volume/reload.ts") },
  { names: ["volume rename"], load: () => import("./commands/volume/rename.ts") },
  { names: ["volume restore"], load: () => import("./commands/volume/restore.ts") },
  { names: ["volume rm", "volume remove"], load: () => import("./commands/volume/rm.ts") },
  { names: ["volume snapshot"], load: () => import("./commands/volume/snapshot.ts") },
  { names: ["volume snapshot ls"], load: () => import("./commands/volume/snapshot-ls.ts") },
  { names: ["volume snapshot rm"], load: () => import("./commands/volume/snapshot-rm.ts") },
  { names: ["volume unmount", "volume umount"], load: () => import("./commands/volume/unmount.ts") },
  { names: ["completion"], load: () => import("./commands/system/completion.ts") },
  { names: ["diff"], load: () => import("./commands/system/diff.ts") },
  { names: ["doctor"], load: () => import("./commands/system/doctor.ts") },
  { names: ["explain"], load: () => import("./commands/system/explain.ts") },
  { names: ["help"], load: () => import("./commands/system/help.ts") },
  { names: ["inspect"], load: () => import("./commands/system/inspect.ts") },
  { names: ["login"], load: () => import("./commands/registry/login.ts") },
  { names: ["logout"], load: () => import("./commands/registry/logout.ts") },
  { names: ["unshare", "builder unshare"], load: () => import("./commands/system/unshare.ts") },
  { names: ["version"], load: () => import("./commands/system/version.ts") },
  { names: ["__complete"], load: () => import("./commands/system/__complete.ts"), hidden: true },
  { names: ["_cleanup"], load: () => import("./commands/system/_cleanup.ts"), hidden: true },
  { names: ["_resolve"], load: () => import("./commands/system/_resolve.ts"), hidden: true },
  { names: ["_supervise"], load: () => import("./commands/system/_supervise.ts"), hidden: true },
  { names: ["_sweep"], load: () => import("./commands/system/_sweep.ts"), hidden: true },
]

/** The entry that `words` begin with, and how many of them name it. */
export function findEntry(words: readonly string[]): { entry: Entry; name: string; length: number } | undefined {
  for (const length of [3, 2, 1]) {
    const name = words.slice(0, length).join(" ")
    const entry = TABLE.find(({ names }) => names.includes(name))
    if (entry && name.split(" ").length === length) return { entry, name, length }
  }
  return undefined
}

/** Names that may stand first on the line. */
export function topLevelNames(): string[] {
  const shown = TABLE.filter(({ hidden }) => !hidden).flatMap(({ names }) => names)
  return [...Object.keys(GROUPS), ...shown.filter((name) => !name.includes(" "))].toSorted()
}

/** Verbs of a group. */
export function verbsOf(group: string): string[] {
  return TABLE.flatMap(({ names }) => names)
    .filter((name) => name.startsWith(`${group} `))
    .map((name) => name.slice(group.length + 1))
}
