import { AlreadyExists, Unsupported } from "../../../base/errors.ts"
import { parseKeyValue } from "../../../spec/docker/environment.ts"
import { arg } from "../../args.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Create a volume",
  args: [arg.optional("VOLUME")],
  flags: {
    driver: flag.string("Specify volume driver name", "string", { short: "d" }),
    gid: flag.int("Group of the volume's directory"),
    ignore: flag.bool("No error if there is a volume of that name", { initial: true }),
    label: flag.list(parseKeyValue, "Set metadata for a volume", "list", { short: "l" }),
    opt: flag.list(parseKeyValue, "Set driver specific options: type=none,o=bind,device=DIR; o=uid=N,gid=N", "list", {
      short: "o",
    }),
    uid: flag.int("Owner of the volume's directory"),
  },
  async run({ args: [name], flags, engine, out }) {
    if ((flags.driver ?? "local") !== "local")
      throw new Unsupported(`no such volume driver: "${flags.driver}"`, { hint: "valid: local" })
    const labels = Object.fromEntries(flags.label)
    const volumes = await engine.volumes()
    if (!flags.ignore && name !== undefined && volumes.list().some((one) => one.name === name))
      throw new AlreadyExists(`volume with name ${name} already exists: volume already exists`)
    const options = withOwner(Object.fromEntries(flags.opt), flags)
    const named = name === undefined ? {} : { name }
    out.line(volumes.create({ labels, anonymous: name === undefined, options, ...named }).name)
  },
})

/** `--uid` and `--gid` are podman's other words for `-o o=uid=…,gid=…`. */
function withOwner(
  options: Record<string, string>,
  { uid, gid }: { uid: number | undefined; gid: number | undefined },
): Record<string, string> {
  const words = [options.o, uid === undefined ? "" : `uid=${uid}`, gid === undefined ? "" : `gid=${gid}`]
  const o = words.filter(Boolean).join(",")
  return o === "" ? options : { ...options, o }
}
