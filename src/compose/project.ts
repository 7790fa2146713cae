/**
 * A compose project as loading leaves it: every short form is long, every path absolute, every name filled in, what no enabled service
 * uses is gone. The keys are those of the Compose Specification, as they stand in the file and in `config`'s output, so that one
 * word names one thing from the file to the label's hash. Values that were never given are absent, not null, but where null
 * has a meaning of its own.
 *
 * Units: durations are Go's texts (`1m30s`), sizes texts of bytes, `cpus` a number, ports' `target` a number, `published` a text.
 */

/** A mapping whose null values take the value from elsewhere, or unset it. */
export type Mapping = Record<string, string | null>

/** `x-*` keys, kept at every level. */
export interface Extensions {
  [extension: `x-${string}`]: unknown
}

/** The whole of one project. */
export interface Project extends Extensions {
  name: string
  /** Absolute; relative paths were taken from here. */
  workingDirectory: string
  /** Absolute, in the order of merging; empty for a project that is known by its containers alone. */
  files: readonly string[]
  /** What interpolation and keys without value saw: the process's environment and `.env` files. */
  environment: Readonly<Record<string, string>>
  /** Files named by the caller in place of `.env`. */
  environmentFiles: readonly string[]
  /** Active ones. */
  profiles: readonly string[]
  /** Enabled ones, by key. */
  services: Record<string, Service>
  /** Those that profiles leave out: named on a command line they come back. */
  disabledServices: Record<string, Service>
  networks: Record<string, ProjectNetwork>
  volumes: Record<string, ProjectVolume>
  secrets: Record<string, FileObject>
  configs: Record<string, FileObject>
  models: Record<string, Model>
}

/** One service. */
export interface Service extends Extensions {
  profiles?: string[]
  annotations?: Mapping
  attach?: boolean
  build?: Build
  develop?: Develop
  blkio_config?: BlkioConfig
  cap_add?: string[]
  cap_drop?: string[]
  cgroup_parent?: string
  cgroup?: string
  cpu_count?: number
  cpu_percent?: number
  cpu_period?: number
  cpu_quota?: number
  cpu_rt_period?: number
  cpu_rt_runtime?: number
  cpus?: number
  cpuset?: string
  cpu_shares?: number
  /** Null or absent: the image's; empty: none. */
  command?: string[] | null
  configs?: FileReference[]
  container_name?: string
  credential_spec?: { config?: string; file?: string; registry?: string } & Extensions
  depends_on?: Record<string, Dependency>
  deploy?: Deploy
  device_cgroup_rules?: string[]
  devices?: ({ source: string; target?: string; permissions?: string } & Extensions)[]
  dns?: string[]
  dns_opt?: string[]
  dns_search?: string[]
  domainname?: string
  /** As `command`. */
  entrypoint?: string[] | null
  provider?: { type: string; options?: Record<string, string | string[]> } & Extensions
  environment?: Mapping
  /** Merged into `environment` and gone, unless loading was told to leave it. */
  env_file?: { path: string; required?: boolean; format?: string }[]
  expose?: string[]
  external_links?: string[]
  /** `host=address`. */
  extra_hosts?: string[]
  group_add?: string[]
  gpus?: DeviceRequest[]
  hostname?: string
  healthcheck?: Healthcheck
  image?: string
  init?: boolean
  ipc?: string
  isolation?: string
  labels?: Record<string, string>
  label_file?: string[]
  links?: string[]
  logging?: { driver?: string; options?: Record<string, string> } & Extensions
  mem_limit?: string
  mem_reservation?: string
  memswap_limit?: string
  mem_swappiness?: string
  mac_address?: string
  models?: Record<string, { endpoint_var?: string; model_var?: string } | null>
  network_mode?: string
  networks?: Record<string, ServiceNetwork | null>
  oom_kill_disable?: boolean
  oom_score_adj?: number
  pid?: string
  pids_limit?: number
  platform?: string
  ports?: Port[]
  privileged?: boolean
  pull_policy?: string
  read_only?: boolean
  restart?: string
  runtime?: string
  scale?: number
  secrets?: FileReference[]
  security_opt?: string[]
  shm_size?: string
  stdin_open?: boolean
  stop_grace_period?: string
  stop_signal?: string
  storage_opt?: Record<string, string>
  sysctls?: Record<string, string>
  /** `path[:options]`. */
  tmpfs?: string[]
  tty?: boolean
  ulimits?: Record<string, Ulimit>
  use_api_socket?: boolean
  user?: string
  userns_mode?: string
  uts?: string
  volume_driver?: string
  volumes?: ServiceVolume[]
  /** `service`, `container:name`, each with `:ro` or `:rw`. */
  volumes_from?: string[]
  working_dir?: string
  post_start?: Hook[]
  pre_stop?: Hook[]
}

/** How an image is made. */
export interface Build extends Extensions {
  context?: string
  dockerfile?: string
  dockerfile_inline?: string
  entitlements?: string[]
  args?: Mapping
  provenance?: string
  sbom?: string
  /** `default` or `id=path`. */
  ssh?: string[]
  labels?: Record<string, string>
  cache_from?: string[]
  cache_to?: string[]
  no_cache?: boolean
  additional_contexts?: Record<string, string>
  pull?: boolean
  extra_hosts?: string[]
  isolation?: string
  network?: string
  target?: string
  secrets?: FileReference[]
  shm_size?: string
  tags?: string[]
  ulimits?: Record<string, Ulimit>
  platforms?: string[]
  privileged?: boolean
}

/** One limit for both, or one each. */
export type Ulimit = number | ({ soft: number; hard: number } & Extensions)

/** What must be true of another service before this one starts. */
export interface Dependency extends Extensions {
  condition: "service_started" | "service_healthy" | "service_completed_successfully"
  /** This one is restarted after the other one was. */
  restart?: boolean
  required: boolean
}

export interface Healthcheck extends Extensions {
  /** `["CMD", …]`, `["CMD-SHELL", text]`, `["NONE"]`. */
  test?: string[]
  timeout?: string
  interval?: string
  retries?: number
  start_period?: string
  start_interval?: string
  disable?: boolean
}

/** A program that runs in a container beside its own, after its start or before its stop. */
export interface Hook extends Extensions {
  command: string[]
  user?: string
  privileged?: boolean
  working_dir?: string
  environment?: Mapping
}

export interface Port extends Extensions {
  name?: string
  mode?: string
  host_ip?: string
  target: number
  /** A number or a range; absent: any free one. */
  published?: string
  protocol?: string
  app_protocol?: string
}

export interface ServiceVolume extends Extensions {
  type: "bind" | "volume" | "tmpfs" | "image" | "npipe" | "cluster"
  source?: string
  target: string
  read_only?: boolean
  consistency?: string
  bind?: { propagation?: string; create_host_path?: boolean; recursive?: string; selinux?: string } & Extensions
  volume?: { labels?: Record<string, string>; nocopy?: boolean; subpath?: string } & Extensions
  tmpfs?: { size?: string; mode?: number } & Extensions
  image?: { subpath?: string } & Extensions
}

/** A service's place on one network. */
export interface ServiceNetwork extends Extensions {
  aliases?: string[]
  driver_opts?: Record<string, string>
  gw_priority?: number
  interface_name?: string
  ipv4_address?: string
  ipv6_address?: string
  link_local_ips?: string[]
  mac_address?: string
  priority?: number
}

/** A service's or build's use of a secret or config. */
export interface FileReference extends Extensions {
  source: string
  target?: string
  uid?: string
  gid?: string
  /** Octal, as `"0440"`. */
  mode?: string
}

/** A secret or config of the project. */
export interface FileObject extends Extensions {
  name?: string
  file?: string
  environment?: string
  content?: string
  external?: boolean
  labels?: Record<string, string>
  driver?: string
  driver_opts?: Record<string, string>
  template_driver?: string
}

export interface ProjectNetwork extends Extensions {
  name?: string
  driver?: string
  driver_opts?: Record<string, string>
  ipam?: {
    driver?: string
    config?: {
      subnet?: string
      gateway?: string
      ip_range?: string
      aux_addresses?: Record<string, string>
    }[]
    options?: Record<string, string>
  } & Extensions
  external?: boolean
  internal?: boolean
  attachable?: boolean
  labels?: Record<string, string>
  enable_ipv4?: boolean
  enable_ipv6?: boolean
}

export interface ProjectVolume extends Extensions {
  name?: string
  driver?: string
  driver_opts?: Record<string, string>
  external?: boolean
  labels?: Record<string, string>
}

export interface Model extends Extensions {
  name?: string
  model: string
  context_size?: number
  runtime_flags?: string[]
}

export interface Deploy extends Extensions {
  mode?: string
  replicas?: number
  labels?: Record<string, string>
  update_config?: UpdateConfig
  rollback_config?: UpdateConfig
  resources?: {
    limits?: ResourceAmounts & { pids?: number }
    reservations?: ResourceAmounts & { generic_resources?: unknown[]; devices?: DeviceRequest[] }
  } & Extensions
  restart_policy?: { condition?: string; delay?: string; max_attempts?: number; window?: string } & Extensions
  placement?: {
    constraints?: string[]
    preferences?: { spread?: string }[]
    max_replicas_per_node?: number
  } & Extensions
  endpoint_mode?: string
}

export interface UpdateConfig extends Extensions {
  parallelism?: number
  delay?: string
  failure_action?: string
  monitor?: string
  max_failure_ratio?: number
  order?: string
}

export interface ResourceAmounts extends Extensions {
  cpus?: string
  memory?: string
}

/** Of GPUs and the like. */
export interface DeviceRequest extends Extensions {
  capabilities?: string[]
  driver?: string
  /** -1: all. */
  count?: number
  device_ids?: string[]
  options?: Record<string, string>
}

export interface BlkioConfig extends Extensions {
  weight?: number
  weight_device?: { path: string; weight: number }[]
  device_read_bps?: { path: string; rate: string | number }[]
  device_read_iops?: { path: string; rate: string | number }[]
  device_write_bps?: { path: string; rate: string | number }[]
  device_write_iops?: { path: string; rate: string | number }[]
}

/** What `watch` looks after. */
export interface Develop extends Extensions {
  watch?: WatchRule[]
}

export interface WatchRule extends Extensions {
  path: string
  action: "sync" | "rebuild" | "restart" | "sync+restart" | "sync+exec"
  target?: string
  exec?: Hook
  include?: string[]
  ignore?: string[]
  initial_sync?: boolean
}
