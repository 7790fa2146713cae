import type { ContainerOptions, ResolvedOptions } from "./container.ts"

/** What `create` takes for what its caller leaves out: the one place of these defaults. What depends on image or host comes later. */
const DEFAULTS = {
  pull: "missing",
  env: [],
  labels: {},
  groupAdd: [],
  tty: false,
  stdin: false,
  init: false,
  readOnly: false,
  autoRemove: false,
  mounts: [],
  network: { kind: "bridge", name: "bridge" },
  ports: [],
  publishAll: false,
  expose: [],
  dns: [],
  dnsSearch: [],
  dnsOptions: [],
  extraHosts: [],
  resources: {},
  ulimits: [],
  capAdd: [],
  capDrop: [],
  privileged: false,
  securityOptions: [],
  sysctls: {},
  devices: [],
  restart: { name: "no", maximumRetryCount: 0 },
} as const satisfies Omit<ContainerOptions, "image">

/** Processes and threads of one container: a fork bomb shall not take the host with it. */
export const DEFAULT_PIDS_LIMIT = 4096

/** Writes a file that `logs` reads. */
export const DEFAULT_LOG_DRIVER = "k8s-file"

/** `options` with the defaults of what is undefined. Pure. */
export function resolveOptions(options: ContainerOptions): ResolvedOptions {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const { driver = DEFAULT_LOG_DRIVER, options: words = {} } = options.log ?? {}
  return { ...DEFAULTS, ...(given as unknown as ContainerOptions), log: { driver, options: words } }
}
