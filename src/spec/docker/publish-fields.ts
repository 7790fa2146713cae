import { InvalidArgument } from "../../base/errors.ts"

/** Keys of docker's long form of `-p`, and compose's `host_ip`. `app_protocol` is a word for people alone. */
const KEYS = ["published", "target", "protocol", "host_ip", "mode", "name", "app_protocol"] as const

type Key = (typeof KEYS)[number]

/** `published=8080,target=80,protocol=udp,host_ip=127.0.0.1` in the words of the short form. Throws InvalidArgument. */
export function shortPublish(text: string): string {
  const fields = new Map(text.split(",").map(readField))
  const target = fields.get("target")
  if (target === undefined || target === "") throw invalid(`no port specified: "${text}" names no target`)
  const mode = fields.get("mode") ?? "host"
  if (mode !== "host" && mode !== "ingress") throw invalid(`invalid publish mode "${mode}" in "${text}"`)
  const address = fields.get("host_ip") ?? ""
  const place = address.includes(":") && !address.startsWith("[") ? `[${address}]` : address
  return `${place === "" ? "" : `${place}:`}${fields.get("published") ?? ""}:${target}/${fields.get("protocol") ?? "tcp"}`
}

function readField(field: string): [Key, string] {
  const equals = field.indexOf("=")
  if (equals < 1) throw invalid(`invalid publish opts format (should be name=value but got '${field}')`)
  const key = KEYS.find((one) => one === field.slice(0, equals).trim().toLowerCase())
  if (key === undefined) throw invalid(`unknown field "${field.slice(0, equals)}" of a published port`)
  return [key, field.slice(equals + 1).trim()]
}

function invalid(message: string): InvalidArgument {
  return new InvalidArgument(message, {
    hint: "expected such as published=8080,target=80,protocol=udp,host_ip=127.0.0.1",
  })
}
