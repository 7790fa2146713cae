import { either, flag, listOf, mapOf, oneOrMore, options, pairs, struct, text, textList, type Key } from "../keys.ts"
import { service } from "./service-keys.ts"

const external = (isClosed: boolean): Key => ({
  types: ["boolean", "string", "object"],
  keys: { name: text() },
  isClosed,
  isExtensible: true,
  type: "boolean",
  cast: "boolean",
})

const subnet: Key = struct({
  subnet: text(),
  gateway: text(),
  ip_range: text(),
  aux_addresses: options(["string"], { isClosed: true }),
})

const network: Key = struct(
  {
    name: text(),
    driver: text(),
    driver_opts: options(["string", "number"]),
    ipam: struct(
      {
        driver: text(),
        config: listOf(subnet, { merge: "subnets" }),
        options: options(["string"], { isClosed: true, isDropped: true, same: "name" }),
      },
      { isAlwaysInJson: true, keepsZero: false },
    ),
    external: external(true),
    internal: flag(),
    attachable: flag(),
    labels: pairs("pairs"),
    enable_ipv4: flag({ keepsZero: true }),
    enable_ipv6: flag({ keepsZero: true }),
  },
  { types: ["object", "null"], long: "external" },
)

const volume: Key = struct(
  {
    name: text(),
    driver: text(),
    driver_opts: options(["string", "number"]),
    external: external(true),
    labels: pairs("pairs"),
  },
  { types: ["object", "null"], long: "external", path: "localVolume" },
)

const fileObject = (more: Record<string, Key>): Key =>
  struct(
    {
      name: text(),
      file: text({ path: "path" }),
      environment: text(),
      ...more,
      external: external(false),
      labels: pairs("pairs", { merge: undefined as never, same: undefined as never }),
      driver: text(),
      driver_opts: options(["string", "number"]),
      template_driver: text(),
    },
    { long: "external" },
  )

const secret = fileObject({})
const { driver: _, driver_opts: __, ...configKeys } = fileObject({ content: text() }).keys ?? {}
const config: Key = { ...secret, keys: configKeys }

const model: Key = struct(
  {
    name: text(),
    model: text(),
    context_size: { types: ["integer"], type: "integer" },
    runtime_flags: textList(),
  },
  { required: ["model"] },
)

const include: Key = listOf(
  either(
    [text()],
    struct({ path: oneOrMore(), env_file: oneOrMore(), project_directory: text() }, { isExtensible: false }),
    {
      long: "include",
      path: "include",
    },
  ),
  { isDropped: true },
)

/** The whole of a file. */
export const project: Key = struct({
  version: text({ isDropped: true }),
  name: text(),
  include,
  services: mapOf(service, { isClosed: true }),
  networks: mapOf(network),
  volumes: mapOf(volume, { isClosed: true }),
  secrets: mapOf(secret, { isClosed: true }),
  configs: mapOf(config, { isClosed: true }),
  models: mapOf(model, { isNotInJson: true }),
})
