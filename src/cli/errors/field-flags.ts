import { flagName, type Flags } from "../flag.ts"

/**
 * Which flag sets what a domain calls a field: the one place where both names are known. A field is the path of an option in
 * the domain's own types, units left off: `resources.memoryReservation` is `memoryReservationBytes` of `Resources`.
 */
type Table = Readonly<Record<string, string>>

const COMMON: Table = {
  envFromFile: "--env-from-file",
  compression: "--compression-format",
  decryptionKeys: "--decryption-key",
  force: "--force",
  name: "--name",
  platform: "--platform",
  replace: "--replace",
  "rules.highestUserWastedPercent": "--highest-user-wasted-percent",
  "rules.highestWastedBytes": "--highest-wasted-bytes",
  "rules.lowestEfficiency": "--lowest-efficiency",
  runtime: "--runtime",
  strict: "--strict",
  "signing.gpg": "--sign-by",
  "signing.passphrase": "--sign-passphrase-file",
  "signing.sigstoreKey": "--sign-by-sigstore-private-key",
  tlsVerify: "--tls-verify",
  withEnvironment: "--with-env",
}

const CONTAINER: Table = {
  ...COMMON,
  "accounts.hostUsers": "--hostuser",
  "accounts.passwd": "--passwd",
  htpasswd: "--htpasswd",
  address: "--ip",
  address6: "--ip6",
  aliases: "--network-alias",
  interface: "--network",
  annotations: "--annotation",
  autoRemove: "--rm",
  capAdd: "--cap-add",
  capDrop: "--cap-drop",
  command: "COMMAND",
  devices: "--device",
  dns: "--dns",
  entrypoint: "--entrypoint",
  env: "--env",
  expose: "--expose",
  extraHosts: "--add-host",
  groupAdd: "--group-add",
  "health.interval": "--health-interval",
  "health.retries": "--health-retries",
  "health.startInterval": "--health-start-interval",
  "health.startPeriod": "--health-start-period",
  "health.test": "--health-cmd",
  "health.timeout": "--health-timeout",
  hostname: "--hostname",
  init: "--init",
  "etc.hostsBase": "--hosts-file",
  "etc.noHosts": "--no-hosts",
  "etc.timeZone": "--tz",
  "log.driver": "--log-driver",
  "log.options": "--log-opt",
  macAddress: "--mac-address",
  mounts: "--mount",
  "namespaces.cgroup": "--cgroupns",
  "namespaces.ipc": "--ipc",
  "namespaces.pid": "--pid",
  "namespaces.time": "--timens",
  "namespaces.timeOffsets": "--time-offset",
  "namespaces.uts": "--uts",
  network: "--network",
  ports: "--publish",
  privileged: "--privileged",
  "process.initPath": "--init-path",
  "process.personality": "--personality",
  "process.pidFile": "--pidfile",
  pull: "--pull",
  "cgroup.mode": "--cgroups",
  "cgroup.parent": "--cgroup-parent",
  deviceCgroupRules: "--device-cgroup-rule",
  "egress.allow": "--allow-net",
  "networkLimits.rate": "--net-rate",
  "networkLimits.refuse": "--net-refuse",
  oomScoreAdj: "--oom-score-adj",
  hooks: "--hooks-dir",
  rdtClass: "--rdt-class",
  storage: "--storage-opt",
  "resources.blkioWeight": "--blkio-weight",
  "resources.blkioWeightDevice": "--blkio-weight-device",
  "resources.cpuRtPeriod": "--cpu-rt-period",
  "resources.cpuRtRuntime": "--cpu-rt-runtime",
  "resources.deviceReadBps": "--device-read-bps",
  "resources.deviceReadIops": "--device-read-iops",
  "resources.deviceWriteBps": "--device-write-bps",
  "resources.deviceWriteIops": "--device-write-iops",
  "resources.hugepages": "--hugetlb",
  "resources.memorySwappiness": "--memory-swappiness",
  "resources.rdma": "--rdma",
  "resources.unified": "--cgroup-conf",
  "resources.cpuPeriod": "--cpu-period",
  "resources.cpuQuota": "--cpu-quota",
  "resources.cpuShares": "--cpu-shares",
  "resources.cpus": "--cpus",
  "resources.cpusetCpus": "--cpuset-cpus",
  "resources.cpusetMems": "--cpuset-mems",
  "resources.memory": "--memory",
  "resources.memoryReservation": "--memory-reservation",
  "resources.memorySwap": "--memory-swap",
  "resources.oomKillDisable": "--oom-kill-disable",
  "resources.pidsLimit": "--pids-limit",
  requires: "--requires",
  restart: "--restart",
  secrets: "--secret",
  runTimeout: "--timeout",
  securityOptions: "--security-opt",
  shmSize: "--shm-size",
  stopSignal: "--stop-signal",
  sysctls: "--sysctl",
  "tree.rootfs": "--rootfs",
  ulimits: "--ulimit",
  user: "--user",
  userNamespace: "--userns",
  volumes: "--volume",
  workdir: "--workdir",
}

const POD: Table = {
  ...CONTAINER,
  sandboxName: "--infra-name",
  shares: "--share",
}

const BUILD: Table = {
  ...CONTAINER,
  attestations: "--attest",
  buildArgs: "--build-arg",
  cacheTo: "--cache-to",
  dockerfile: "--file",
  entitlements: "--allow",
  epoch: "--source-date-epoch",
  isolation: "--isolation",
  noCache: "--no-cache",
  secrets: "--secret",
  squash: "--squash",
  ssh: "--ssh",
  outputs: "--output",
  tags: "--tag",
  target: "--target",
}

/** The command that failed. */
export interface FailedCommand {
  /** Its whole name, `container run`; empty before one is known. */
  command: string
  flags: Flags
}

/** The flag (or word) of `field` as the command has it; undefined where it has none: then there is nothing to name. */
export function flagOf(field: string, { command, flags }: FailedCommand): string | undefined {
  const name = flagOfField(field, command)
  if (name === undefined || !name.startsWith("--")) return name
  const isKnown = Object.entries(flags).some(
    ([property, { aliases }]) => `--${flagName(property)}` === name || aliases?.includes(name.slice(2)),
  )
  return isKnown ? name : undefined
}

const NETWORK: Table = {
  address: "--ip",
  address6: "--ip6",
  aliases: "--alias",
  bridge: "--interface-name",
  driver: "--driver",
  driverOptions: "--opt",
  gateway: "--gateway",
  interface: "--driver-opt",
  "options.auxiliary": "--aux-address",
  "options.dns": "--dns",
  "options.ipRange": "--ip-range",
  "options.routes": "--route",
  subnet: "--subnet",
}

const VOLUME: Table = { ...COMMON, driver: "--driver", options: "--opt" }

const SCAN: Table = {
  database: "--db",
  feeds: "--feed",
  from: "--from",
  ignoreFile: "--ignorefile",
  ignoreStatuses: "--ignore-status",
  isOffline: "--offline-scan",
  packageKinds: "--pkg-types",
  platform: "--platform",
  scanners: "--scanners",
  severities: "--severity",
  secretConfig: "--secret-config",
  skipDirectories: "--skip-dirs",
  skipFiles: "--skip-files",
  vex: "--vex",
}

const GROUP_TABLES: Readonly<Record<string, Table>> = {
  container: CONTAINER,
  network: NETWORK,
  kube: POD,
  play: POD,
  pod: POD,
  scan: SCAN,
  volume: VOLUME,
}

/** The flag of `field` in the group of commands that `command` is of. */
export function flagOfField(field: string, command: string): string | undefined {
  const [group] = command.split(" ")
  const isBuild = command === "image build" || group === "builder"
  const table = isBuild ? BUILD : ((group === undefined ? undefined : GROUP_TABLES[group]) ?? COMMON)
  return table[field]
}
