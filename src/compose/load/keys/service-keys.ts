import {
  bytes,
  distinctTexts,
  duration,
  either,
  flag,
  float,
  integer,
  listOf,
  mapOf,
  number,
  oneOrMore,
  options,
  pairs,
  struct,
  text,
  textList,
  words,
  type Key,
} from "../keys.ts"
import { build } from "./build-keys.ts"
import { deploy } from "./deploy-keys.ts"
import { extraHosts, fileReferences, gpus, hook, ulimits } from "./shared-keys.ts"
import { port, serviceVolume } from "./mount-keys.ts"

const develop: Key = struct(
  {
    watch: listOf(
      struct(
        {
          path: text({ path: "watch" }),
          action: text({ enum: ["rebuild", "sync", "restart", "sync+restart", "sync+exec"] }),
          target: text(),
          exec: struct(hook.keys ?? {}, { required: ["command"], isAlwaysInJson: true, keepsZero: false }),
          include: oneOrMore({ long: "texts" }),
          ignore: oneOrMore({ long: "texts" }),
          initial_sync: { types: ["boolean"], type: "boolean" },
        },
        { required: ["path", "action"] },
      ),
    ),
  },
  { types: ["object", "null"] },
)

const blkioRates = () =>
  listOf(
    struct(
      { path: text({ jsonName: "Path" }), rate: bytes({ types: ["integer", "string"], jsonName: "Rate" }) },
      { isExtensible: false },
    ),
  )

const blkio: Key = struct(
  {
    weight: integer(),
    weight_device: listOf(
      struct({ path: text({ jsonName: "Path" }), weight: integer({ jsonName: "Weight" }) }, { isExtensible: false }),
    ),
    device_read_bps: blkioRates(),
    device_read_iops: blkioRates(),
    device_write_bps: blkioRates(),
    device_write_iops: blkioRates(),
  },
  { isExtensible: false },
)

const dependency: Key = struct(
  {
    condition: text({ enum: ["service_started", "service_healthy", "service_completed_successfully"] }),
    restart: flag(),
    required: { types: ["boolean"], type: "boolean", keepsZero: true },
  },
  { required: ["condition"] },
)

const device = either(
  [text()],
  struct({ source: text(), target: text(), permissions: text() }, { required: ["source"] }),
  {
    long: "device",
  },
)

const envFile = either(
  [text()],
  struct(
    { path: text({ path: "path" }), required: flag({ keepsZero: true }), format: text() },
    { required: ["path"], isExtensible: false },
  ),
)

const healthcheck: Key = struct({
  test: { forms: [text(), textList()], type: "healthTest", merge: "replace" },
  timeout: duration(),
  interval: duration(),
  retries: number({ keepsZero: true }),
  start_period: duration(),
  start_interval: duration(),
  disable: flag(),
})

const logging: Key = struct({ driver: text(), options: options(["string", "number", "null"]) }, { merge: "logging" })

const provider: Key = struct(
  {
    type: text(),
    options: {
      types: ["object"],
      name: /^[^\n]+$/,
      values: {
        forms: [
          { types: ["string", "number", "boolean"] },
          { types: ["array"], items: { types: ["string", "number", "boolean"], type: "text" } },
        ],
        type: "any",
      },
      type: "textLists",
    },
  },
  { required: ["type"] },
)

const network: Key = struct({
  aliases: distinctTexts({ same: "name" }),
  driver_opts: options(["string", "number"]),
  gw_priority: number(),
  interface_name: text(),
  ipv4_address: text(),
  ipv6_address: text(),
  link_local_ips: distinctTexts({ same: "name" }),
  mac_address: text(),
  priority: number(),
})

const model: Key = struct({ endpoint_var: text(), model_var: text() })
const isNull = { types: ["null"] } as const

/** A service's keys, in the order of writing. */
export const service: Key = struct({
  profiles: distinctTexts({ same: "name" }),
  annotations: pairs("pairs"),
  attach: { types: ["boolean", "string"], type: "boolean", keepsZero: true },
  build,
  develop,
  blkio_config: blkio,
  cap_add: distinctTexts({ same: "name" }),
  cap_drop: distinctTexts({ same: "name" }),
  cgroup_parent: text(),
  cgroup: text({ enum: ["host", "private"] }),
  cpu_count: { forms: [text(), { types: ["integer"], minimum: 0 }], type: "integer", cast: "integer" },
  cpu_percent: { forms: [text(), { types: ["integer"], minimum: 0, maximum: 100 }], type: "float", cast: "float" },
  cpu_period: number(),
  cpu_quota: number(),
  cpu_rt_period: number(),
  cpu_rt_runtime: number(),
  cpus: float(),
  cpuset: text(),
  cpu_shares: number(),
  command: words({ merge: "replace" }),
  configs: fileReferences("config"),
  container_name: text({ pattern: /[a-zA-Z0-9][a-zA-Z0-9_.-]+/ }),
  credential_spec: struct({ config: text(), file: text(), registry: text() }),
  depends_on: either([distinctTexts()], mapOf(dependency, { isClosed: true }), {
    long: "dependencies",
    merge: "dependencies",
  }),
  deploy,
  device_cgroup_rules: distinctTexts(),
  devices: listOf(device, { same: "device" }),
  dns: oneOrMore({ long: "texts", merge: "pairs", same: "name" }),
  dns_opt: distinctTexts({ merge: "pairs", same: "name" }),
  dns_search: oneOrMore({ merge: "pairs", same: "name" }),
  domainname: text(),
  entrypoint: words({ merge: "replace" }),
  provider,
  environment: pairs("mapping"),
  env_file: either([text()], listOf({ ...envFile, type: "envFile" }), {
    long: "envFiles",
    merge: "pairs",
    same: "envFile",
  }),
  expose: {
    types: ["array"],
    items: { types: ["string", "number"], type: "text" },
    distinct: true,
    type: "texts",
    same: "text",
  },
  extends: either([text()], struct({ service: text(), file: text() }, { required: ["service"], isExtensible: false }), {
    long: "extends",
    isDropped: true,
  }),
  external_links: distinctTexts(),
  extra_hosts: extraHosts,
  group_add: { types: ["array"], items: { types: ["string", "number"], type: "text" }, distinct: true, type: "texts" },
  gpus,
  hostname: text(),
  healthcheck,
  image: text(),
  init: flag({ keepsZero: true }),
  ipc: text(),
  isolation: text(),
  labels: pairs("pairs"),
  label_file: either([text()], textList({ items: text({ path: "path" }) }), { long: "texts", merge: "pairs" }),
  links: distinctTexts({ same: "name" }),
  logging,
  mem_limit: bytes(),
  mem_reservation: bytes({ types: ["string", "integer"] }),
  memswap_limit: bytes(),
  mem_swappiness: bytes({ types: ["integer", "string"] }),
  mac_address: text(),
  models: either([distinctTexts()], mapOf({ ...model, forms: [model, isNull] }), { long: "names", merge: "names" }),
  network_mode: text(),
  networks: either([distinctTexts()], mapOf({ ...network, forms: [network, isNull] }, { isClosed: true }), {
    long: "names",
    merge: "names",
  }),
  oom_kill_disable: flag(),
  oom_score_adj: {
    forms: [text(), { types: ["integer"], minimum: -1000, maximum: 1000 }],
    type: "integer",
    cast: "integer",
  },
  pid: text({ types: ["string", "null"] }),
  pids_limit: number(),
  platform: text(),
  ports: listOf(port, { distinct: true, long: "ports", same: "port" }),
  privileged: flag(),
  pull_policy: text({
    pattern: /always|never|build|if_not_present|missing|refresh|daily|weekly|every_([0-9]+[wdhms])+/,
  }),
  pull_refresh_after: text({ isDropped: true }),
  read_only: flag(),
  restart: text(),
  runtime: text(),
  scale: integer({ keepsZero: true }),
  secrets: fileReferences("secret"),
  security_opt: distinctTexts(),
  shm_size: bytes(),
  stdin_open: flag(),
  stop_grace_period: duration(),
  stop_signal: text(),
  storage_opt: { types: ["object"], type: "pairs" },
  sysctls: pairs("pairs"),
  tmpfs: oneOrMore({ merge: "pairs", same: "name" }),
  tty: flag(),
  ulimits,
  use_api_socket: { types: ["boolean"], type: "boolean" },
  user: text(),
  userns_mode: text(),
  uts: text(),
  volumes: listOf(serviceVolume, { distinct: true, same: "target" }),
  volumes_from: distinctTexts(),
  working_dir: text(),
  post_start: listOf(hook),
  pre_stop: listOf(hook),
})
