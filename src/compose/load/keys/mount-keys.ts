import { either, flag, pairs, struct, text, type Key } from "../keys.ts"

/** A port of a service. */
export const port = either(
  [{ types: ["number"] }, text()],
  struct({
    name: text(),
    mode: text(),
    host_ip: text(),
    target: { types: ["integer", "string"], type: "integer", cast: "integer" },
    published: { types: ["string", "integer"], type: "text" },
    protocol: text(),
    app_protocol: text(),
  }),
)

const bind: Key = struct({
  selinux: text({ enum: ["z", "Z"] }),
  propagation: text(),
  create_host_path: flag(),
  recursive: text({ enum: ["enabled", "disabled", "writable", "readonly"] }),
})

const named: Key = struct({ labels: pairs("pairs"), nocopy: flag(), subpath: text() })

const tmpfs: Key = struct({
  size: { forms: [{ types: ["integer"], minimum: 0 }, text()], type: "bytes" },
  mode: { types: ["number", "string"], type: "whole" },
})

/** A mount of a service. */
export const serviceVolume = either(
  [text()],
  struct(
    {
      type: text({ enum: ["bind", "volume", "tmpfs", "cluster", "npipe", "image"] }),
      source: text(),
      target: text(),
      read_only: flag(),
      consistency: text(),
      bind,
      volume: named,
      tmpfs,
      image: struct({ subpath: text() }),
    },
    { required: ["type"] },
  ),
  { long: "volume", path: "mount" },
)
