/**
 * Keys of Quadlet files (podman-systemd.unit(5)) that are flags under another name. A key that is in neither table nor
 * converter is refused by name.
 *
 *   value   the last one counts          list    each line is one          words   each word of each line is one
 *   bool    true and false are said      set     said when it is true
 */
export type KeyKind = "value" | "list" | "words" | "bool" | "set"
export type KeyTable = Readonly<Record<string, readonly [flag: string, kind: KeyKind]>>

const HEALTH: KeyTable = {
  HealthCmd: ["--health-cmd", "value"],
  HealthInterval: ["--health-interval", "value"],
  HealthLogDestination: ["--health-log-destination", "value"],
  HealthMaxLogCount: ["--health-max-log-count", "value"],
  HealthMaxLogSize: ["--health-max-log-size", "value"],
  HealthOnFailure: ["--health-on-failure", "value"],
  HealthRetries: ["--health-retries", "value"],
  HealthStartPeriod: ["--health-start-period", "value"],
  HealthStartupCmd: ["--health-startup-cmd", "value"],
  HealthStartupInterval: ["--health-startup-interval", "value"],
  HealthStartupRetries: ["--health-startup-retries", "value"],
  HealthStartupSuccess: ["--health-startup-success", "value"],
  HealthStartupTimeout: ["--health-startup-timeout", "value"],
  HealthTimeout: ["--health-timeout", "value"],
}

const IDS: KeyTable = {
  GIDMap: ["--gidmap", "list"],
  SubGIDMap: ["--subgidname", "value"],
  SubUIDMap: ["--subuidname", "value"],
  UIDMap: ["--uidmap", "list"],
  UserNS: ["--userns", "value"],
}

const NAMES: KeyTable = {
  AddHost: ["--add-host", "list"],
  DNS: ["--dns", "list"],
  DNSOption: ["--dns-option", "list"],
  DNSSearch: ["--dns-search", "list"],
  HostName: ["--hostname", "value"],
  IP: ["--ip", "value"],
  IP6: ["--ip6", "value"],
  NetworkAlias: ["--network-alias", "list"],
  PublishPort: ["--publish", "list"],
}

const RETRIES: KeyTable = { Retry: ["--retry", "value"], RetryDelay: ["--retry-delay", "value"] }

export const CONTAINER_KEYS: KeyTable = {
  ...RETRIES,
  ...HEALTH,
  ...IDS,
  ...NAMES,
  AddCapability: ["--cap-add", "words"],
  Annotation: ["--annotation", "words"],
  CgroupsMode: ["--cgroups", "value"],
  DropCapability: ["--cap-drop", "words"],
  Entrypoint: ["--entrypoint", "value"],
  Environment: ["--env", "words"],
  EnvironmentHost: ["--env-host", "bool"],
  ExposeHostPort: ["--expose", "list"],
  GroupAdd: ["--group-add", "list"],
  HttpProxy: ["--http-proxy", "bool"],
  Label: ["--label", "words"],
  LogDriver: ["--log-driver", "value"],
  LogOpt: ["--log-opt", "list"],
  Memory: ["--memory", "value"],
  PidsLimit: ["--pids-limit", "value"],
  Pull: ["--pull", "value"],
  ReadOnly: ["--read-only", "bool"],
  ReadOnlyTmpfs: ["--read-only-tmpfs", "bool"],
  Rootfs: ["--rootfs", "value"],
  RunInit: ["--init", "bool"],
  Secret: ["--secret", "list"],
  ShmSize: ["--shm-size", "value"],
  StopSignal: ["--stop-signal", "value"],
  StopTimeout: ["--stop-timeout", "value"],
  Sysctl: ["--sysctl", "words"],
  Timezone: ["--tz", "value"],
  Tmpfs: ["--tmpfs", "list"],
  Ulimit: ["--ulimit", "list"],
  WorkingDir: ["--workdir", "value"],
}

export const POD_KEYS: KeyTable = { ...IDS, ...NAMES, Label: ["--label", "words"], ShmSize: ["--shm-size", "value"] }

export const VOLUME_KEYS: KeyTable = { Driver: ["--driver", "value"], Label: ["--label", "words"] }

export const NETWORK_KEYS: KeyTable = {
  DisableDNS: ["--disable-dns", "set"],
  DNS: ["--dns", "list"],
  Driver: ["--driver", "value"],
  Gateway: ["--gateway", "list"],
  InterfaceName: ["--interface-name", "value"],
  Internal: ["--internal", "set"],
  IPAMDriver: ["--ipam-driver", "value"],
  IPRange: ["--ip-range", "list"],
  IPv6: ["--ipv6", "set"],
  Label: ["--label", "words"],
  Options: ["--opt", "list"],
  Subnet: ["--subnet", "list"],
}

export const IMAGE_KEYS: KeyTable = {
  ...RETRIES,
  AllTags: ["--all-tags", "set"],
  Arch: ["--arch", "value"],
  AuthFile: ["--authfile", "value"],
  CertDir: ["--cert-dir", "value"],
  Creds: ["--creds", "value"],
  DecryptionKey: ["--decryption-key", "value"],
  OS: ["--os", "value"],
  Policy: ["--policy", "value"],
  TLSVerify: ["--tls-verify", "bool"],
  Variant: ["--variant", "value"],
}

export const BUILD_KEYS: KeyTable = {
  ...RETRIES,
  Annotation: ["--annotation", "words"],
  Arch: ["--arch", "value"],
  AuthFile: ["--authfile", "value"],
  BuildArg: ["--build-arg", "words"],
  DNS: ["--dns", "list"],
  DNSOption: ["--dns-option", "list"],
  DNSSearch: ["--dns-search", "list"],
  Environment: ["--env", "words"],
  ForceRM: ["--force-rm", "bool"],
  GroupAdd: ["--group-add", "list"],
  ImageTag: ["--tag", "list"],
  Label: ["--label", "words"],
  Pull: ["--pull", "value"],
  Secret: ["--secret", "list"],
  Target: ["--target", "value"],
  TLSVerify: ["--tls-verify", "bool"],
  Variant: ["--variant", "value"],
}
