import { AlreadyExists } from "../../../base/errors.ts"
import { parseKeyValue } from "../../../spec/docker/environment.ts"
import { arg } from "../../args.ts"
import { CLUSTER_VOLUME_FLAGS } from "../../cluster-flags.ts"
import { command } from "../../command.ts"
import { flag } from "../../flag.ts"

export default command({
  summary: "Create a volume",
  args: [arg.optional("VOLUME")],
  flags: {
    ...CLUSTER_VOLUME_FLAGS,
    driver: flag.string("Specify volume driver name: local, image, or a plugin", "string", {
      short: "d",
      completes: ["local", "image"],
    }),
    gid: flag.int("Group of the volume's directory"),
    ignore: flag.bool("No error if there is a volume of that name", { initial: true }),
    label: flag.list(parseKeyValue, "Set metadata for a volume", "list", { short: "l" }),
    opt: flag.list(parseKeyValue, "Set driver specific options: type=…, device=…, o=…, size=…, image=…", "list", {
      short: "o",
    }),
    uid: flag.int("Owner of the volume's directory"),
  },
  async run({ args: [name], flags, engine, out }) {
    const labels = Object.fromEntries(flags.label)
    const volumes = await engine.volumes()
    if (!flags.ignore && name !== undefined && volumes.list().some((one) => one.name === name))
      throw new AlreadyExists(`volume with name ${name} already exists: volume already exists`)
    const options = withOwner(Object.fromEntries(flags.opt), flags)
    const { name: made } = await volumes.create({
      labels,
      anonymous: name === undefined,
      options,
      ...(name === undefined ? {} : { name }),
      ...(flags.driver ? { driver: flags.driver } : {}),
    })
    out.line(made)
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
